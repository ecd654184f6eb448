"""The life of a job: claimed, settled, recovered, forecast.

Belongs here: transitions in transactions. Never here: SQL statements, devices or platforms.
"""
