"""Clips that executors made: encoded, signed with provenance, fitted to a destination.

Belongs here: muxing, posters, metadata. Never here: a file that a person sent.
"""
