"""What the child that decodes cannot do, whoever it runs as."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, threading
from core.media.intake.syscalls import forbid_programs

assert forbid_programs()
for start in (os.fork, os.forkpty, lambda: os.posix_spawn("/bin/true", ["true"], {}),
              lambda: os.execv("/bin/true", ["true"])):
    try:
        start()
    except OSError as error:
        print(error.errno)
    else:
        print("started")
worker = threading.Thread(target=print, args=("thread",))
worker.start()
worker.join()
"""


def test_a_decoder_starts_threads_but_no_process_and_no_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == ["1", "1", "1", "1", "thread"], done.stderr
