"""Where clips and inputs are kept, behind :class:`core.interfaces.artefacts.Artefacts`.

Belongs here: the folders of one machine, a bucket with the cache of a node, addresses that are
signed. Never here: who needs a file and for how long, which rows say.
"""
