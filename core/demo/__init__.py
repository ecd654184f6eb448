"""The demonstration: inputs made by a program, and clips made from them by the real core.

Belongs here: drawing the inputs, running one job per mode. Never here: anything that a real job
would need.
"""
