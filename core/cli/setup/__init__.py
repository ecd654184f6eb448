"""``clapper setup``: ask for what a service needs, and write the file of settings.

Belongs here: the questions, what each answer is checked with, and the text of the file. Never here:
what a setting means (:mod:`core.settings`).
"""

from core.cli.setup.command import APP

__all__ = ["APP"]
