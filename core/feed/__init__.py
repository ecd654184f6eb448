"""Feeds: clips that their makers publish in channels of operators, taken down, and reported.

What is owed to a platform goes there by :mod:`core.delivery`; nothing here sends anything.
"""
