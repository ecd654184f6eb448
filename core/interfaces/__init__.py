"""The seams that others implement: executors and deliveries.

Belongs here: protocols and the records that cross them. Never here: an implementation.
"""
