# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""What happens when something on the page is pressed or changed."""

import asyncio
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr

from core.domain.followups import options_of
from core.domain.modes import Mode
from core.domain.options import OptionKind, Options, options_in
from core.errors import ClapperError, JobUnknown, RequestUnreadable
from core.i18n.messages import say
from core.service.clip_settings import ClipSettings, read_clip_settings
from core.settings import Settings
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.gradio_errors import GradioError
from webui.page.examples import copy_files
from webui.page.preflight import Card, Preflight
from webui.page.sent_form import SentForm
from webui.studio.loop_bridge import Bridge
from webui.studio.metrics import Metrics
from webui.studio.sent_files import path_of
from webui.studio.service import StudioService
from webui.views.errors import error_view


def visitor_in(request: gr.Request) -> Visitor:
    """Return who sent an event.

    Raises:
        Error: nobody is logged in.
        GradioError: the key that was sent cannot be used.
    """
    inner: Any = request.request
    visitor = visitor_of(inner)
    if visitor is None:
        raise gr.Error(say("studio_login"))
    if visitor.problem is not None:
        raise GradioError(visitor.problem)
    return visitor


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """What became of a form: its job, and the fields whose value was drawn for it."""

    job_id: str
    drawn: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Handlers:
    """Events of the page, carried over to the core's loop."""

    service: StudioService
    preflight: Preflight
    bridge: Bridge
    metrics: Metrics

    @property
    def settings(self) -> Settings:
        """Return the settings of the service."""
        return self.service.settings

    async def look(self, sent: SentForm, visitor: Visitor) -> Card:
        """Preview what stands in a form."""
        try:
            options = sent.options()
        except ClapperError as error:
            return self.preflight.refused(error)
        work = self.preflight.card(sent.mode, options, sent.paths, visitor)
        return await self.bridge.call(work)

    def refused(self, error: ClapperError) -> Card:
        """Make the card for a form that cannot even be read."""
        return self.preflight.refused(error)

    async def generate(self, sent: SentForm, visitor: Visitor, key: str) -> SubmittedForm:
        """Ask for a clip; the same ``key`` of the same visitor is the same job.

        Raises:
            ClapperError: a value or file cannot work, or quota, rules or a block refuse.
        """
        try:
            options = sent.options()
            work = self.service.submit(sent.mode, options, sent.paths, visitor, f"studio:{key}")
            ticket = await self.bridge.call(work)
        except ClapperError as error:
            self.metrics.refused.labels(error.code).inc()
            raise
        if not ticket.duplicate:
            self.metrics.accepted.labels(sent.mode).inc()
        try:
            request = await self.bridge.call(self.service.request_of(ticket.job_id, visitor))
        except (RequestUnreadable, JobUnknown):  # of an older version, or deleted at this moment
            return SubmittedForm(ticket.job_id)
        return SubmittedForm(ticket.job_id, _drawn(options_of(request), sent))

    async def problem(
        self, error: ClapperError, sent: SentForm, visitor: Visitor
    ) -> dict[str, Any]:
        """Make the card for a form whose request was refused with ``error``."""
        plain = (await self.look(sent, visitor)).plain()
        if plain["error"] is None or plain["error"]["code"] != error.code:
            plain["error"] = asdict(error_view(error))
        return {**plain, "asked": uuid4().hex}

    def gone(self, sent: SentForm, visitor: Visitor) -> tuple[str, ...]:
        """Return the roles whose file is not here any more, or was never the visitor's."""
        return tuple(
            role for role, path in sent.paths.items() if not self.has(path_of(path) or "", visitor)
        )

    def has(self, path: str, visitor: Visitor) -> bool:
        """Return whether the file at ``path`` is the visitor's and still here."""
        return self.service.files.uploads.allows(path, visitor.requester) and Path(path).is_file()

    async def take_frame(self, job_id: str, visitor: Visitor) -> Path:
        """Save a clip's last frame among the uploads, as the visitor's, and return its path.

        Raises:
            ClapperError: no such job, somebody else's, or there is no clip.
        """
        folder = self.settings.uploads_folder / uuid4().hex
        folder.mkdir(parents=True)
        try:
            path = await self.bridge.call(self.service.last_frame(job_id, visitor, folder))
        except ClapperError:
            folder.rmdir()
            raise
        await self.bridge.call(self.service.files.keep_upload(str(path), visitor))
        return path

    async def example_files(self, mode: Mode, roles: set[str], visitor: Visitor) -> dict[str, Path]:
        """Give the visitor copies of an example's files for ``roles``, as if they had sent them."""
        files = await asyncio.to_thread(copy_files, mode, roles, self.settings.uploads_folder)
        for path in files.values():
            await self.bridge.call(self.service.files.keep_upload(str(path), visitor))
        return files

    def read_clip(self, path: str, visitor: Visitor) -> ClipSettings | None:
        """Read what a dropped file says of itself; it is never decoded."""
        return read_clip_settings(Path(path)) if self.has(path, visitor) else None


def _drawn(used: Options, sent: SentForm) -> dict[str, str]:
    """Return the seeds in ``used`` by field, as text, without those that stand in the form."""
    values = used.values()
    seeds = (item for item in options_in(sent.mode) if item.kind is OptionKind.SEED)
    texts = {seed.name: str(values[seed.name]) for seed in seeds}
    return {name: text for name, text in texts.items() if text != sent.values.get(name, "").strip()}
