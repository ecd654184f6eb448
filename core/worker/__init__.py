"""Attempts on the device: prepared, run, encoded, settled.

Belongs here: slots, attempts and their timing. Never here: which job is next.
"""
