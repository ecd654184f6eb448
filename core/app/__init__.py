"""The running program: settings become objects, fronts start, maintenance and metrics run.

Belongs here: what wires the other packages. Never here: a rule about a request or a person.
"""
