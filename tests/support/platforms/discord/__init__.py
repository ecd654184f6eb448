"""Discord on 127.0.0.1: REST and gateway, as much as an interactions-only bot can see.

Belongs here: answers that the real service gives, in its field names. Never here: knowledge of
Clapper's commands; tests name those.
"""
