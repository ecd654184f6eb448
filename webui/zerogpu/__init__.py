"""A GPU that is lent for seconds: leases, the executor in a forked worker, its errors.

Belongs here: everything that names spaces. Never here: the page.
"""
