"""The life of a node: its signs of life, its drain, and who else makes clips.

Belongs here: the forms of :class:`core.interfaces.nodes.Nodes`. Never here: which job is next, or
who holds a bot.
"""
