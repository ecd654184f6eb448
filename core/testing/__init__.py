"""Doubles that ship: executors and deliveries without a device or a platform.

Belongs here: what tests and benchmarks share. Never here: anything that production imports.
"""
