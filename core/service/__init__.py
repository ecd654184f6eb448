"""What people and operators may ask, with authority in the type.

Belongs here: the calls of fronts and what they decide. Never here: a platform, a page or a row.
"""
