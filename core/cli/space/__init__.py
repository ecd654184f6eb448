"""``clapper space``: the folder of a Hugging Face Space, made from this installation.

Belongs here: what is written into the folder, its page, its settings and its requirements. Never
here: what runs on a Space (:mod:`webui.space`); nothing of this package is in the folder.
"""

from core.cli.space.command import APP

__all__ = ["APP"]
