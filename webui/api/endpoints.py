# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
"""The named endpoints for programs: one for each mode, and status, cancel and result."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal

import gradio as gr

from core.domain.jobs import Ticket
from core.domain.modes import Mode
from core.errors import ClapperError, MediaMissing
from core.i18n.messages import explain
from webui.api.parsing import options_from_program
from webui.api.schemas import JobAnswer, accepted, finished
from webui.auth.visitors import Visitor
from webui.page.handlers import Handlers, visitor_in

PresetName = Literal["draft", "fast", "balanced", "quality"]
CameraName = Literal[
    "none",
    "static",
    "dolly_in",
    "dolly_out",
    "dolly_left",
    "dolly_right",
    "jib_up",
    "jib_down",
]
File = dict[str, Any]  # what the client's handle_file() makes: an upload by path


class Api:
    """Typed functions that Gradio publishes."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def publish(self) -> None:
        """Offer every endpoint inside the current Blocks."""
        endpoints: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
            ("t2v", self.t2v),
            ("i2v", self.i2v),
            ("a2v", self.a2v),
            ("lipsync", self.lipsync),
            ("keyframe", self.keyframe),
            ("style", self.style),
            ("status", self.status),
            ("cancel", self.cancel),
            ("result", self.result),
        )
        for name, endpoint in endpoints:
            gr.api(endpoint, api_name=name, concurrency_limit=None, queue=True)

    async def t2v(
        self,
        request: gr.Request,
        prompt: str,
        preset: PresetName = "balanced",
        aspect: str | None = None,
        seconds: float | None = None,
        seed: str | None = None,
        camera: CameraName = "none",
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        negative_prompt: str = "",
    ) -> JobAnswer:
        """Make a video with sound from a text; returns the job's id at once."""
        given = _given(
            prompt, preset, aspect, seconds, seed, camera, width, height, fps, negative_prompt
        )
        return await self._submit(request, Mode.T2V, given, {})

    async def i2v(
        self,
        request: gr.Request,
        image: File,
        prompt: str = "",
        preset: PresetName = "balanced",
        aspect: str | None = None,
        seconds: float | None = None,
        seed: str | None = None,
        camera: CameraName = "none",
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        negative_prompt: str = "",
    ) -> JobAnswer:
        """Let a picture move: it is the first frame; returns the job's id at once."""
        given = _given(
            prompt, preset, aspect, seconds, seed, camera, width, height, fps, negative_prompt
        )
        return await self._submit(request, Mode.I2V, given, {"image": image})

    async def a2v(
        self,
        request: gr.Request,
        audio: File,
        prompt: str = "",
        preset: PresetName = "balanced",
        aspect: str | None = None,
        seconds: float | None = None,
        seed: str | None = None,
        camera: CameraName = "none",
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        negative_prompt: str = "",
    ) -> JobAnswer:
        """Make pictures that follow a sound, which stays as it is; returns the job's id at once."""
        given = _given(
            prompt, preset, aspect, seconds, seed, camera, width, height, fps, negative_prompt
        )
        return await self._submit(request, Mode.A2V, given, {"audio": audio})

    async def lipsync(
        self,
        request: gr.Request,
        image: File,
        audio: File,
        prompt: str = "",
        preset: PresetName = "balanced",
        aspect: str | None = None,
        seconds: float | None = None,
        seed: str | None = None,
        camera: CameraName = "none",
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        negative_prompt: str = "",
    ) -> JobAnswer:
        """Let a portrait speak or sing a sound; returns the job's id at once."""
        given = _given(
            prompt, preset, aspect, seconds, seed, camera, width, height, fps, negative_prompt
        )
        return await self._submit(request, Mode.LIPSYNC, given, {"image": image, "audio": audio})

    async def keyframe(
        self,
        request: gr.Request,
        first: File,
        last: File,
        prompt: str = "",
        preset: PresetName = "balanced",
        aspect: str | None = None,
        seconds: float | None = None,
        seed: str | None = None,
        camera: CameraName = "none",
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        negative_prompt: str = "",
    ) -> JobAnswer:
        """Go from a first picture to a last one; returns the job's id at once."""
        given = _given(
            prompt, preset, aspect, seconds, seed, camera, width, height, fps, negative_prompt
        )
        return await self._submit(request, Mode.KEYFRAME, given, {"first": first, "last": last})

    async def style(
        self,
        request: gr.Request,
        video: File,
        image: File,
        prompt: str = "",
        preset: PresetName = "balanced",
        aspect: str | None = None,
        seconds: float | None = None,
        seed: str | None = None,
        camera: CameraName = "none",
        width: int | None = None,
        height: int | None = None,
        fps: int | None = None,
        negative_prompt: str = "",
    ) -> JobAnswer:
        """Give a video the look of a picture; returns the job's id at once."""
        given = _given(
            prompt, preset, aspect, seconds, seed, camera, width, height, fps, negative_prompt
        )
        return await self._submit(request, Mode.STYLE, given, {"video": video, "image": image})

    async def status(self, request: gr.Request, job: str) -> dict[str, Any]:
        """Tell how far a job of yours is."""
        view = await self._call(self._handlers.service.job(job, visitor_in(request)))
        return asdict(view)

    async def cancel(self, request: gr.Request, job: str) -> dict[str, Any]:
        """Stop a job of yours; what was not used is back in your quota."""
        visitor = visitor_in(request)
        await self._call(self._handlers.service.act(job, "cancel", visitor))
        return asdict(await self._call(self._handlers.service.job(job, visitor)))

    async def result(self, request: gr.Request, job: str) -> dict[str, Any]:
        """Give the address of a finished clip of yours; only you can open it."""
        visitor = visitor_in(request)
        return finished(job, await self._call(self._handlers.service.clip(job, visitor)))

    async def _submit(
        self, request: gr.Request, mode: Mode, given: dict[str, Any], files: Mapping[str, File]
    ) -> JobAnswer:
        visitor = visitor_in(request)
        paths = _paths(mode, files)
        ticket = await self._call(self._accept(mode, given, paths, visitor))
        self._handlers.service.contexts.keep(ticket.job_id)
        self._handlers.metrics.accepted.labels(mode).inc()
        return accepted(ticket)

    async def _accept(
        self, mode: Mode, given: dict[str, Any], paths: Mapping[str, str | None], visitor: Visitor
    ) -> Ticket:
        service = self._handlers.service
        options = options_from_program(given, service.limits)
        return await service.submit(mode, options, paths, visitor)

    async def _call(self, work: Any) -> Any:  # noqa: ANN401  # whatever the service gives
        """Carry ``work`` to the core.

        Raises:
            Error: with the sentence that people get, and the code as its title.
        """
        try:
            return await self._handlers.bridge.call(work)
        except ClapperError as error:
            self._handlers.metrics.refused.labels(error.code).inc()
            raise gr.Error(explain(error), title=error.code, print_exception=False) from None


def _paths(mode: Mode, files: Mapping[str, File]) -> dict[str, str | None]:
    """Return the uploads by role.

    Raises:
        Error: one is not an upload.
    """
    paths: dict[str, str | None] = {}
    for role, file in files.items():
        path = file.get("path") if isinstance(file, dict) else None  # pyright: ignore[reportUnnecessaryIsInstance]  # comes from outside
        if not isinstance(path, str):
            error = MediaMissing(mode, role)
            raise gr.Error(explain(error), title=error.code, print_exception=False)
        paths[role] = path
    return paths


def _given(
    prompt: str,
    preset: str,
    aspect: str | None,
    seconds: float | None,
    seed: str | None,
    camera: str,
    width: int | None,
    height: int | None,
    fps: int | None,
    negative_prompt: str,
) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "preset": preset,
        "aspect": aspect,
        "seconds": seconds,
        "seed": seed,
        "camera": camera,
        "width": width,
        "height": height,
        "fps": fps,
        "negative_prompt": negative_prompt,
    }
