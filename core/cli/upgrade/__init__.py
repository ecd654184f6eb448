"""``clapper update``: bring a checkout to a newer release.

Belongs here: the releases of a checkout, and the way from one to another. Never here: the ComfyUI
that Clapper runs (core.comfy.install).
"""

from core.cli.upgrade.command import APP as APP
