"""The control socket: how commands on this machine steer the service while it runs.

Belongs here: the table of commands, how they travel, who may send them, and the client. Never here:
what a command means for jobs and people; that is :mod:`core.service`.
"""
