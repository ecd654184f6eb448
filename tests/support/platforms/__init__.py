"""Chat platforms on 127.0.0.1: what the real client libraries talk to in tests.

Belongs here: servers that answer like Discord and Telegram, with faults on request. Never here: a
replacement for the client libraries; tests always run the real ones.
"""
