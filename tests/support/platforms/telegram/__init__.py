"""A Bot API server on 127.0.0.1: chats, files, updates by polling, and its own error texts.

Belongs here: answers that the real server gives, in its field names. Never here: knowledge of
Clapper's commands; tests name those.
"""
