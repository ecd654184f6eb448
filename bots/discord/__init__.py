"""The Discord front: slash commands, clips, and buttons that work after a restart.

Belongs here: everything that names discord.py. Never here: what a request costs, who is next, or
whether a job is tried again; and never a privileged intent.
"""
