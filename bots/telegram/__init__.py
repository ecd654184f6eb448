"""The Telegram front: commands, captions, replies, albums and forms in, clips out.

Belongs here: everything that names python-telegram-bot. Never here: what a request costs, who is
next, or whether a job is tried again.
"""
