"""The job engine: procrastinate's worker processes, which call for attempts and chores.

Belongs here: how the engine is started and stopped, and what its tasks call. Never here: which job
is next, and SQL.
"""
