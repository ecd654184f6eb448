"""What the chat fronts share: sentences and the pace of edits.

Belongs here: what both platforms need. Never here: a client library.
"""
