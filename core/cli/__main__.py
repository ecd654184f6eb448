"""``python -m core.cli``: the same as ``clapper``."""

from core.cli import main

main()
