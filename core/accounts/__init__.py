"""Who may do how much: quotas, blocks and rules, linked accounts, the audit log.

Belongs here: what is decided about a person or a place. Never here: the state of a job.
"""
