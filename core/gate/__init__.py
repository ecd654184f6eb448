"""The gate for rented machines: a worker reaches its jobs by one address and one token.

Here belong the calls of both sides, what they send, and who may call. Rows, quotas and rules are
asked of the queue; nothing here knows people, and no call reaches what a bot may do.
"""
