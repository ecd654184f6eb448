"""The Telegram front: receive commands, captions, replies and albums, answer with clips.

Belongs here: everything that names python-telegram-bot. Never here: what a request costs, who is
next, or whether a job is tried again.
"""
