"""The chat fronts: they parse what people ask for and deliver what core made.

Belongs here: what Discord and Telegram share (the budget of message edits), and one package for
each platform. Never here: quotas, queue order, sizes, retries of a job; core decides those.
"""
