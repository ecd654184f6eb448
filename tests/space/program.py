"""A Space's own entry, with an animatic in the place of ComfyUI inside the lease.

Run in the built folder, by its user. Everything else is the folder's: the lease, the worker, the
store with files whose sizes are those that lie in the preloaded cache. ``SPACE_TEST_GATE`` names a
folder: a run reports itself there and waits until ``open`` lies there, or until it is killed. Where
``SPACE_TEST_COMFY`` is set ComfyUI stays; it names the folder with the code that makes it tiny.
``SPACE_TEST_SECOND`` is how long one second of the lender lasts.
"""

import asyncio
import os
import runpy
import sys
import time
from dataclasses import replace
from functools import partial, partialmethod
from pathlib import Path

PRELOADED = Path.home() / ".cache" / "huggingface" / "hub"
GATE = os.environ.get("SPACE_TEST_GATE")
REAL = os.environ.get("SPACE_TEST_COMFY")


def stand_in(file):
    """``file`` with the size of its stand-in; without one it stays as published."""
    folder = PRELOADED / f"models--{file.repo.replace('/', '--')}" / "snapshots" / file.revision
    try:
        return replace(file, size_bytes=(folder / file.path).stat().st_size, sha256=None)
    except OSError:
        return file


def animatic():
    from core.animatic.executor import DraftExecutor

    class Animatic(DraftExecutor):
        name = "comfy"
        resident = None

        async def execute(self, order, on_progress, cancel):
            if GATE:
                gate = Path(GATE)
                (gate / f"{order.job_id}-{order.attempt}-{os.getpid()}").touch()
                while not (gate / "open").exists():
                    cancel.raise_if_cancelled()
                    await asyncio.sleep(0.02)
            return await super().execute(order, on_progress, cancel)

        async def warm_up(self):
            pass

    return Animatic()


def change():
    """Lay the stand-ins in; once the entry has settled where libraries write."""
    sys.modules["torch"] = None  # the lender's package wants one for CUDA, which no GPU here has
    import spaces  # noqa: F401  # before what may start CUDA

    del sys.modules["torch"]
    from spaces.zero import config

    if card := os.environ.get("SPACE_TEST_CARD"):
        config._read_gpu_information = lambda: f"Model: \t {card}\n"
    from core.comfy.executor import ComfyExecutor
    from core.models.catalog import LTX_2_3

    for profile in LTX_2_3.profiles.values():
        profile.files.update({slot: stand_in(file) for slot, file in profile.files.items()})
    if second := os.environ.get("SPACE_TEST_SECOND"):
        shorten(float(second))
    if REAL:
        import core.comfy.startup

        core.comfy.__path__.append(REAL)
        core.comfy.startup.import_ahead = nothing_ahead
    else:
        ComfyExecutor.open = staticmethod(lambda *_, **__: animatic())


def nothing_ahead(*_):
    """Without the lender's torch nothing here answers for a GPU before one is lent."""
    from core.errors.setup import ComfyUnavailable

    raise ComfyUnavailable("a GPU", "")


def shorten(second_s):
    """Let the seconds of loans be as short as the lender's own."""
    from webui.zerogpu import lease
    from webui.zerogpu.executor import LeasedExecutor

    def clock():
        return time.monotonic() / second_s

    lease.prepare = partial(lease.prepare, clock=clock)
    LeasedExecutor.__init__ = partialmethod(LeasedExecutor.__init__, clock=clock)


def main():
    from webui.space import start

    settle = start.use_settings_of

    def settled(*arguments):
        settle(*arguments)
        change()

    start.use_settings_of = settled
    runpy.run_path("app.py", run_name="__main__")


main()
