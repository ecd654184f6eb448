"""How much a device computes meanwhile, and a busy thread beside it."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean


@contextmanager
def device_load(found: list[float]) -> Iterator[None]:
    """Note the share of time that the device computes, by its driver, four times a second."""
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    try:
        meter = subprocess.Popen([*command, "-lms", "250"], stdout=subprocess.PIPE, text=True)
    except OSError:  # no such device
        yield
        return
    try:
        yield
    finally:
        meter.terminate()
        lines, _ = meter.communicate()
        found += [float(line) / 100 for line in lines.splitlines() if line.strip().isdigit()]


@contextmanager
def busy_thread() -> Iterator[None]:
    """Let another thread of this process run Python for 2 ms in every 10."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.008):
            until = time.perf_counter() + 0.002
            while time.perf_counter() < until:
                pass

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def mean_or_nan(values: list[float]) -> float:
    return fmean(values) if values else float("nan")
