"""The outbox on its way to the platforms: retries, progress, positions.

Belongs here: when something is sent and again. Never here: how a platform shows it.
"""
