"""Files that people send: probed, decoded and written anew in a confined child.

Belongs here: formats, limits, the sandbox. Never here: a finished clip.
"""
