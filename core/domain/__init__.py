"""The words of Clapper: modes, presets, requests, jobs, people, limits.

Belongs here: frozen records and pure functions. Never here: a file, a row, a task or a clock.
"""
