"""Sentences for people, by language.

Belongs here: choosing and filling words. Never here: deciding what went wrong.
"""
