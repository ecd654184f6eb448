"""The seams that others implement: what makes clips, hands them over, keeps and hands out work.

Belongs here: protocols and the records that cross them. Never here: an implementation.
"""
