"""Make one clip for who sent the command: files by their paths in, a file at a path out."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.control.commands import GenerateClip
from core.control.reports import (
    GenerationAccepted,
    GenerationEnded,
    GenerationEvent,
    JobReport,
)
from core.control.service import SteeredService
from core.domain.fingerprints import fingerprint_of
from core.domain.jobs import Ticket
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, OptionKind, Options
from core.domain.people import Caller, Requester
from core.domain.requests import Composition, check_roles
from core.errors import MediaMissing, MediaUnreadable
from core.errors.setup import ControlBroken
from core.media.output.destinations import check_clips
from core.runtime.atomic_files import sha256_of
from core.runtime.tasks import outcome_of
from core.service.submission import Submitter

_KINDS: dict[OptionKind, tuple[type, ...]] = {
    OptionKind.TEXT: (str,),
    OptionKind.CHOICE: (str,),
    OptionKind.NUMBER: (int, float),
    OptionKind.COUNT: (int,),
    OptionKind.SEED: (int,),
}


class ClipOrder:
    """One request of a command, from its files to the delivered clip.

    The row is the promise: where who asked goes away the clip still comes to its place.
    """

    def __init__(
        self, service: SteeredService, requester: Requester, command: GenerateClip
    ) -> None:
        """Take the service, whose the job will be, and what is asked."""
        self._service = service
        self._requester = requester
        self._command = command

    async def run(self, stop: asyncio.Event) -> AsyncIterator[GenerationEvent]:
        """Accept the request and yield what happens to its job until it is told.

        Args:
            stop: cancels the job in its owner's name.

        Raises:
            ClapperError: it is refused.
        """
        options = _options(self._command.options)
        asked = await self._fingerprint(options)
        accepted = await self._known(asked) or await self._submitted(options, asked)
        composition, ticket = accepted
        with self._service.delivery.watched(ticket.job_id) as events:
            yield GenerationAccepted.of(composition, ticket)
            if ticket.duplicate and (over := await self._over(ticket.job_id)) is not None:
                yield over
                return
            cancelling = asyncio.create_task(self._cancel_at(stop, ticket.job_id))
            try:
                while True:
                    event = await events.get()
                    yield event
                    if isinstance(event, GenerationEnded):
                        return
            finally:
                cancelling.cancel()

    @property
    def _key(self) -> str:
        return f"cli:{self._command.key}"

    async def _known(self, asked: str) -> tuple[Composition, Ticket] | None:
        """Return what the key made before; asked first, as it is accepted whatever refuses now.

        Raises:
            KeyReused: the key stands for another request.
            RequestUnreadable: another version wrote what it made.
        """
        ticket = await self._service.submission.known([self._requester], self._key, asked)
        if ticket is None:
            return None
        job = await self._service.jobs.get(ticket.job_id)
        return Composition(job.request, ()), ticket

    async def _submitted(self, options: Options, asked: str) -> tuple[Composition, Ticket]:
        """Accept the request.

        Raises:
            ClapperError: it is refused.
        """
        command = self._command
        composition = replace(await self._compose(options), fingerprint=asked)
        files = [_path(path) for path in command.files.values()]
        out = _path(command.out)
        count = 1 + len(composition.drafts)
        await asyncio.to_thread(check_clips, out, count, files, force=command.force)
        reply_to = self._service.delivery.place.reply_to(out, files, force=command.force)
        ticket = await self._service.submission.submit(
            composition, Submitter(self._requester), reply_to, self._key
        )
        return composition, ticket

    async def _fingerprint(self, options: Options) -> str:
        """Make the fingerprint of what is asked: values, bytes of the files, and where it goes."""
        command = self._command
        paths = {role: _path(path) for role, path in command.files.items()}
        contents = await asyncio.to_thread(_digests, paths)
        return fingerprint_of(command.mode, options, contents, command.out)

    async def _compose(self, options: Options) -> Composition:
        """Admit the files and compose the request.

        Raises:
            MediaUnexpected: a file in a role that the mode does not have.
            InvalidInput: a file or a value cannot work.
        """
        mode = self._command.mode
        check_roles(mode, self._command.files)
        caller = Caller(self._requester, self._requester.platform)
        return await self._service.compose(caller, mode, options, await self._admit(mode))

    async def _admit(self, mode: Mode) -> dict[str, MediaFile]:
        admitted: dict[str, MediaFile] = {}
        for slot in MODES[mode].every_slot:
            if slot.role not in self._command.files:
                if slot in MODES[mode].more:
                    continue
                raise MediaMissing(mode, slot.role)
            path = _path(self._command.files[slot.role])
            if not await asyncio.to_thread(_is_readable_file, path):
                raise MediaUnreadable(slot.role, "not_a_file")
            admitted[slot.role] = await self._service.admission.admit(
                path, slot.role, slot.kind, self._requester
            )
        return admitted

    async def _over(self, job_id: str) -> GenerationEnded | None:
        """Return how the job ended where it did before anybody watched: its key was known."""
        job = await self._service.jobs.get(job_id)
        if not job.state.terminal:
            return None
        place = Path(job.reply_to.address.get("out", ""))
        there = await asyncio.to_thread(place.is_file)
        return GenerationEnded(JobReport.of(job), file=str(place) if there else None)

    async def _cancel_at(self, stop: asyncio.Event, job_id: str) -> None:
        await stop.wait()
        await outcome_of(self._service.cancellation.cancel(job_id, self._requester))


def _digests(paths: Mapping[str, Path]) -> dict[str, str] | None:
    """Return the digest of each file; None where one of them cannot be read."""
    if not all(map(_is_readable_file, paths.values())):
        return None
    try:
        return {role: sha256_of(path) for role, path in paths.items()}
    except OSError:
        return None


def _path(text: str) -> Path:
    """Read a path of a command: bytes as characters, because not every name is text.

    Raises:
        ControlBroken: it does not begin at the root.
    """
    try:
        path = Path(os.fsdecode(text.encode("latin-1")))
    except UnicodeEncodeError:
        raise ControlBroken("path") from None
    if not path.is_absolute() or "\0" in text:
        raise ControlBroken("path")
    return path


def _is_readable_file(path: Path) -> bool:
    """Tell whether ``path`` is a file that can be read; pipes and devices would never end."""
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.access(path, os.R_OK)
    except OSError:
        return False


def _options(values: dict[str, Any]) -> Options:
    """Read the options of a command.

    Raises:
        ControlBroken: there is no such option, or its value is of another kind.
    """
    for name, value in values.items():
        if name not in OPTIONS:
            raise ControlBroken("option")
        if value is not None and not isinstance(value, _KINDS[OPTIONS[name].kind]):
            raise ControlBroken(f"option {name}")
    return Options.of(values)
