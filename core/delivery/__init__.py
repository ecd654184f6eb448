"""Delivery to the platforms: results with retries, progress, positions.

Belongs here: when something is sent and again. Never here: how a platform shows it.
"""
