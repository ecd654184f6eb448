"""Servers for tests: a Studio, an OpenID provider, a lender of GPUs.

Belongs here: doubles of platforms. Never here: anything that ships to a Space.
"""
