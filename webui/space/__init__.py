"""The program of a Hugging Face Space: where it writes, what makes its clips, what it lacks.

Belongs here: what only a Space has. Never here: the page, which is the same everywhere, and what
builds the folder of a Space (:mod:`core.cli.space`).
"""
