"""Attempts at jobs: prepared, executed on the device, encoded, settled.

Belongs here: slots, attempts and their timing. Never here: which job is next.
"""
