"""The delivery of the command line: bars while it runs, a file at the end."""

import asyncio
import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from core.delivery.file_place import FilePlace
from core.domain.jobs import Failure, Job
from core.domain.media import Clip
from core.domain.progress import Downloading, Progress, Waiting, Working
from core.errors import DeliveryImpossible
from core.i18n.messages import explain, name, say
from core.interfaces.delivery import Delivery, DeliveryAttempt, Receipt
from core.media.output.destinations import PlaceTaken, numbered_files, place_files, poster_of

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


async def put_result(job: Job, clip: Clip) -> Path:
    """Copy ``clip`` and its poster to where the reply address of ``job`` says, whole or not at all.

    The poster gets the same name as a PNG. Copying twice gives the same file, so a repeated
    delivery is harmless.

    Returns:
        Where the clip lies.

    Raises:
        DeliveryImpossible: the address names no file, or there is no room for the copy, the folder
            cannot be written, or a file of theirs lies there by now.
    """
    address = job.reply_to.address
    if not address.get("out"):
        raise DeliveryImpossible("address_unreadable")
    target = Path(address["out"])
    copies = (clip.path, target), (clip.poster, poster_of(target))
    kept, force = address.get("inputs", "").split(), "force" in address
    try:
        await asyncio.to_thread(place_files, copies, force=force, inputs=kept)
    except PlaceTaken as error:
        raise DeliveryImpossible("taken") from error
    except OSError as error:
        reason = "full" if error.errno in NO_ROOM else "not_writable"
        raise DeliveryImpossible(reason) from error
    return target


async def drafts_to_files(
    delivery: Delivery, jobs: Sequence[Job], attempt: DeliveryAttempt
) -> Receipt:
    """Hand over each draft by itself, its number behind the name of the file.

    One that cannot be put where it belongs keeps none of the others from their places.

    Raises:
        DeliveryImpossible: as of :func:`put_result`, of the first that could not.
    """
    receipt, missed = Receipt(""), list[DeliveryImpossible]()
    for number, job in enumerate(jobs, 1):
        address = job.reply_to.address
        out = Path(address.get("out", ""))
        numbered = str(numbered_files(out, len(jobs))[number - 1]) if out.name else ""
        at = replace(job.reply_to, address={**address, "out": numbered})
        if job.clip is None:
            await delivery.failed(job, job.end_reason, attempt)
            continue
        try:
            receipt = await delivery.completed(replace(job, reply_to=at), job.clip, attempt)
        except DeliveryImpossible as error:
            missed.append(error)
    if missed:
        raise missed[0].with_traceback(None)
    return receipt


class TerminalBars:
    """A bar for each job that is being made; nothing where ``console`` is no terminal."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._rows: dict[str, TaskID] = {}

    def show(self, job_id: str, mode: str, event: Progress) -> None:
        """Move the bar of a job."""
        self._bars.start()
        if job_id not in self._rows:
            self._rows[job_id] = self._bars.add_task("", total=1.0)
        text, fraction = describe(event)
        row = self._rows[job_id]
        self._bars.update(row, description=f"{name(mode)}: {text}", completed=fraction)

    def end(self, job_id: str) -> None:
        """Take the bar of a job away."""
        row = self._rows.pop(job_id, None)
        if row is not None:
            self._bars.remove_task(row)
        if not self._rows:
            self._bars.stop()

    def close(self) -> None:
        """Take all bars away."""
        self._bars.stop()


class TerminalDelivery:
    """Copies clips to files, and says so to who waits at a terminal."""

    def __init__(self, console: Console, place: FilePlace) -> None:
        """Print to ``console``; where it is no terminal, only results are printed.

        ``place`` is the disk that files are written to.
        """
        self._console = console
        self._place = place
        self._bars = TerminalBars(console)
        self._results: dict[str, asyncio.Future[Path | Failure]] = {}

    @property
    def platform(self) -> str:
        """Return the platform of reply addresses at this place."""
        return self._place.platform

    def result(self, job_id: str) -> "asyncio.Future[Path | Failure]":
        """Make the future that gets the copied file of ``job_id``, or why there is none."""
        if job_id not in self._results:
            self._results[job_id] = asyncio.get_running_loop().create_future()
        return self._results[job_id]

    async def progress(self, job: Job, event: Progress) -> None:
        """Move the bar of ``job``."""
        self._bars.show(job.id, job.mode_word, event)

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Copy the clip and its poster, whole or not at all.

        Raises:
            DeliveryImpossible: the address names no file, or there is no room for the copy, the
                folder cannot be written, or a file of theirs lies there by now: who waits at a
                terminal is told at once, and the clip is kept where it is.
        """
        del attempt
        try:
            target = await put_result(job, clip)
        except DeliveryImpossible as impossible:
            self._end(job, Failure.of(impossible))
            raise
        self._end(job, target)
        say_delivered(self._console, job.mode_word, target)
        return Receipt(str(target))

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Copy each clip (:func:`drafts_to_files`)."""
        return await drafts_to_files(self, jobs, attempt)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Print why there is no clip."""
        del attempt
        self._end(job, failure)
        say_failed(self._console, job.mode_word, failure)
        return Receipt(job.id)

    def close(self) -> None:
        """Take the bars away."""
        self._bars.close()

    def _end(self, job: Job, result: Path | Failure) -> None:
        self._bars.end(job.id)
        future = self.result(job.id)
        if not future.done():
            future.set_result(result)


def say_delivered(console: Console, mode: str, target: Path) -> None:
    """Print where a clip lies."""
    words = say("delivered_to", {"mode": mode, "path": target})
    console.print(words, soft_wrap=True, markup=False, highlight=False)


def say_failed(console: Console, mode: str, failure: Failure) -> None:
    """Print why there is no clip."""
    console.print(f"{name(mode)}: {explain(failure)}", markup=False, soft_wrap=True)


def describe(event: Progress) -> tuple[str, float]:
    """Choose the words for ``event`` and how full the bar is, 0…1."""
    match event:
        case Waiting(position, ready_in_s):
            return say("progress_waiting", {"position": position, "ready_in_s": ready_in_s}), 0.0
        case Downloading(file, done_bytes, total_bytes):
            data = {"file": file, "done_bytes": done_bytes, "total_bytes": total_bytes,
                    "left_bytes": event.left_bytes}  # fmt: skip
            return say("progress_downloading", data), done_bytes / max(1, total_bytes)
        case Working(stage, step, steps, fraction):
            words = name(stage) if steps <= 1 else f"{name(stage)} {step}/{steps}"
            return words, fraction
