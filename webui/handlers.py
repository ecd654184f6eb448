# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""What happens when something on the page is pressed or changed."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr

from core.compose import Options
from core.errors import ClapperError
from core.media.provenance import Provenance, read_provenance
from core.messages import explain, say
from core.presets import PRESETS, Preset
from core.requests import Request
from core.settings import Settings
from webui.bridge import Bridge
from webui.counter import StudioCounter
from webui.doorway import visitor_of
from webui.errors import error_view
from webui.form import Form
from webui.metrics import Metrics
from webui.people import Visitor
from webui.preflight import Card, Preflight
from webui.values import Values, values_of

Update = Any  # gradio's own updates are plain dictionaries


def visitor_in(request: gr.Request) -> Visitor:
    """Return who sent an event.

    Raises:
        Error: nobody is logged in.
    """
    inner: Any = request.request
    visitor = visitor_of(inner)
    if visitor is None:
        raise gr.Error(say("studio_login"))
    if visitor.problem is not None:
        title = visitor.problem.code
        raise gr.Error(explain(visitor.problem), title=title, print_exception=False)
    return visitor


@dataclass(frozen=True, slots=True)
class Handlers:
    """Events of the page, carried over to the core's loop."""

    counter: StudioCounter
    preflight: Preflight
    bridge: Bridge
    metrics: Metrics

    @property
    def settings(self) -> Settings:
        """Return the settings of the service."""
        return self.counter.core.settings

    async def look(self, form: Form, visitor: Visitor, inputs: tuple[object, ...]) -> Card:
        """Return the card for what stands in ``form``."""
        paths, values = form.read(inputs)
        try:
            options = values.options()
        except ClapperError as error:
            quota = await self.bridge.call(self.counter.quota(visitor))
            fix = self.preflight.fix(error, Options(), None, quota)
            return Card(error=error.with_traceback(None), fix=fix)
        work = self.preflight.card(form.mode, options, paths, visitor)
        return await self.bridge.call(work)

    async def generate(
        self, form: Form, visitor: Visitor, inputs: tuple[object, ...]
    ) -> list[Update]:
        """Ask for a clip; return stage, card and seed."""
        paths, values = form.read(inputs)
        try:
            work = self.counter.submit(form.mode, values.options(), paths, visitor)
            ticket = await self.bridge.call(work)
        except ClapperError as error:
            self.metrics.refused.labels(error.code).inc()
            plain = (await self.look(form, visitor, inputs)).plain()
            if plain["error"] is None or plain["error"]["code"] != error.code:
                plain["error"] = asdict(error_view(error))
            return [gr.skip(), {**plain, "asked": uuid4().hex}, gr.skip()]
        self.counter.visits.keep(ticket.job_id)
        self.metrics.accepted.labels(form.mode).inc()
        request = await self.bridge.call(self.counter.request_of(ticket.job_id, visitor))
        card = (await self.look(form, visitor, inputs)).plain()
        used = str(request.sampling.seed)
        given = used == values.seed.strip()  # another may be typed by now
        return [{"job": ticket.job_id}, card, gr.skip() if given else used]

    async def mend(self, form: Form, visitor: Visitor, inputs: tuple[object, ...]) -> list[Update]:
        """Change the fields that the card's button promises; return every field."""
        card = await self.look(form, visitor, inputs)
        return fill(form, card.fix.changes if card.fix else {})

    async def take_frame(self, job_id: str, visitor: Visitor) -> str:
        """Return the path of a clip's last frame, inside the folder of uploads, as the visitor's.

        Raises:
            Error: there is no clip, or not any more.
        """
        folder = self.settings.data_dir.absolute() / "studio" / uuid4().hex
        folder.mkdir(parents=True)
        try:
            path = await self.bridge.call(self.counter.last_frame(job_id, visitor, folder))
        except ClapperError as error:
            raise gr.Error(error_view(error).text, print_exception=False) from None
        self.counter.uploads.record(str(path), visitor.requester)
        return str(path)

    def read_clip(self, path: str | None, visitor: Visitor) -> Provenance | None:
        """Return what a dropped file says of itself; it is never decoded."""
        if not path or not self.counter.uploads.allows(path, visitor.requester):
            return None
        return read_provenance(Path(path))


def fill(form: Form, changes: dict[str, Any]) -> list[Update]:
    """Return an update for every field of ``form``: the changed ones, and nothing for the rest."""
    updates: list[Update] = []
    for name in form.fields:
        if name not in changes:
            updates.append(gr.skip())
        elif name == "seconds":
            updates.append(gr.update(value=changes[name], visible=not changes.get("follow", False)))
        else:
            updates.append(gr.update(value=changes[name]))
    return updates


def changes_of(request: Request) -> dict[str, Any]:
    """Return the field values that make ``request`` again."""
    return asdict(values_of(request))


def changes_in(provenance: Provenance) -> dict[str, Any]:
    """Return the field values that a clip's own record holds."""
    sampling = provenance.sampling
    found = asdict(
        Values(
            preset=sampling.preset,
            width=sampling.width,
            height=sampling.height,
            seconds=round((sampling.frames - 1) / sampling.fps, 2),
            fps=sampling.fps,
            seed=str(sampling.seed),
            lock=True,
            camera=sampling.camera,
            negative=sampling.negative_prompt,
            prompt=provenance.prompt,
        )
    )
    absent = {"aspect"} | {key for key in ("prompt", "negative") if not found[key]}
    return {key: value for key, value in found.items() if key not in absent}


def guided(preset: str) -> bool:
    """Return whether a negative prompt acts in ``preset``."""
    return preset in set(Preset) and PRESETS[Preset(preset)].may_guide
