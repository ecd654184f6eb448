"""Who a visitor is: cookies, sign-in, keys and what they own.

Belongs here: identity over HTTP. Never here: what a clip costs.
"""
