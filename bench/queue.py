"""Run the figures of the queue: ``.venv/bin/python bench/queue.py``; see ``queue_figures.py``.

This file has the name of a standard module, and Python looks into a script's folder first: where
another script of this folder needs the standard one, it gets it from here.
"""

import os
import sys
from importlib import import_module
from runpy import run_path

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib may need queue
FOUND = list(sys.path)
sys.path[:] = [entry for entry in FOUND if os.path.abspath(entry) != HERE]  # noqa: PTH100

if __name__ == "__main__":
    run_path(os.path.join(HERE, "queue_figures.py"), run_name="__main__")  # noqa: PTH118
else:
    del sys.modules[__name__]
    sys.modules[__name__] = import_module(__name__)
    sys.path[:] = FOUND
