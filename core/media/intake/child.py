"""The child process that decodes one file of a stranger: ``python -m core.media.intake.child``.

It gets two open files, the source and an empty output, and its orders as JSON on the command line;
it answers with one line of JSON on its standard output. Before it touches the source it gives
up everything else: it can open no file and no socket any more (no descriptor is left for
one), use no more memory, processor time and disk than ordered, and start no program. That is why
films are read by PyAV and not by the ffmpeg program: it works on one open file, without protocols.
"""

import io
import json
import math
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from core.domain.media import MediaKind
from core.domain.media_cut import MediaCut
from core.errors import MediaRefused
from core.media.intake.behind_tags import BehindTags
from core.media.intake.formats import FILM_READERS
from core.media.intake.protocol import Recode, RecodeTask
from core.media.intake.reasons import needs_memory
from core.media.intake.syscalls import forbid_programs

if TYPE_CHECKING:
    import resource
else:
    with suppress(ImportError):  # of POSIX alone; loaded before the doors close
        import resource

_NEED_THREADS = frozenset({"HEIF"})


def main() -> None:
    """Do the task on the command line."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    kind, cut = MediaKind(order.pop("kind")), MediaCut(**order.pop("cut"))
    task = RecodeTask(kind=kind, cut=cut, **order)
    try:
        recode = _recoder(task)  # everything is imported before the doors close
    except (ImportError, OSError, MemoryError) as error:  # no fault of the file
        sys.stdout.write(json.dumps({"unready": f"{type(error).__name__}: {error}"}))
        return
    with os.fdopen(task.source_fd, "rb") as source, os.fdopen(task.output_fd, "wb") as output:
        _confine(task)
        try:
            made = recode(task, _behind_tags(task, source), output)
            output.flush()
            answer: dict[str, object] = {"made": asdict(made)}
        except MediaRefused as refusal:
            answer = {"refused": refusal.code, "data": refusal.data()}
        except MemoryError:
            costly = needs_memory(task.role, task.kind)
            answer = {"refused": costly.code, "data": costly.data()}
        except OSError as error:
            answer = {"errno": error.errno}
    sys.stdout.write(json.dumps(answer))


def _recoder(task: RecodeTask) -> Recode:
    if task.finished:
        from core.media.intake.clip_probe import probe_clip

        return probe_clip
    if task.kind is not MediaKind.IMAGE:
        from core.media.intake.video import recode_stream

        return recode_stream
    if task.reader in FILM_READERS:
        from core.media.intake.first_picture import recode_first_picture

        return recode_first_picture
    from core.media.intake.images import recode_image

    return recode_image


def _behind_tags(task: RecodeTask, source: BinaryIO) -> BinaryIO:
    return io.BufferedReader(BehindTags(source, task.skipped)) if task.skipped else source


def _confine(task: RecodeTask) -> None:
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  # pathlib is not imported here
            pages = statm.read().split()
        # what is mapped by now is mostly libraries of which little is ever touched
        untouched = (int(pages[0]) - int(pages[1])) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, untouched + task.memory_bytes)
    # SIGPROF tells why it ended; at the hard limit the kernel kills as it does for lack of memory
    signal.setitimer(signal.ITIMER_PROF, task.cpu_seconds)
    whole = math.ceil(task.cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (whole + 1, whole + 5))
    _limit(resource.RLIMIT_FSIZE, task.output_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    forbidden = forbid_programs()
    if not (forbidden and task.reader in _NEED_THREADS):
        _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, 0)


def _limit(what: int, value: int) -> None:
    resource.setrlimit(what, (value, value))


if __name__ == "__main__":
    main()
