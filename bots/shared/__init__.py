"""What the chat fronts share: texts and the rate of edits.

Belongs here: what both platforms need. Never here: a client library.
"""
