"""How tests start the program as a process of its own, as its console script does."""

import sys

MAIN = (sys.executable, "-c", "from core.cli import main; main()")
