"""The Discord front: slash commands in, clips out, buttons that outlive the process.

Belongs here: everything that names discord.py. Never here: what a request costs, who is next, or
whether a job is tried again; and never a privileged intent.
"""
