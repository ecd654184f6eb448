"""Every option of every mode, and rows that are added, from each way in to the same request."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

import webui.application  # noqa: F401  # all is imported before rows are added
from core.demo.samples import write_png, write_video, write_wav
from core.domain.limits import RequestLimits
from core.domain.media import MediaKind
from core.domain.modes import MODES, Mode
from core.domain.options import OPTIONS, Option, OptionKind
from core.domain.requests import to_json
from core.i18n.messages import sentences
from core.settings import Settings
from core.testing.doubles import QuickExecutor
from tests.support.jobs import clip_in, until_ended
from tests.support.options import NEW_ROWS, added_rows, sample
from webui.api.mcp_tools import tools
from webui.api.signatures import signature_of
from webui.front import in_own_loop
from webui.page.form import FormRules, ModeForm, build_form
from webui.page.form_values import form_of
from webui.testing.server import ServedStudio, served

LIMITS = RequestLimits()
ROWS = {**OPTIONS, **{row.name: row for row in NEW_ROWS}}
KEY = {"x-clapper-key": "the secret of the first agent", "X-Clapper": "1"}
SMALL = {"preset": "fast", "seconds": 2.0, "width": 256, "height": 320, "fps": 12, "seed": 2**60}
KEPT_ELSEWHERE = "style"  # the name of words that a place keeps: tests of their own make such
TEXTS = {
    row.name: f"wörds of {row.name}"
    for row in ROWS.values()
    if row.is_private and row.name != KEPT_ELSEWHERE
}


@pytest.fixture(autouse=True)
def with_new_rows() -> Generator[None]:
    with added_rows():
        yield


@pytest.fixture
def studio_settings(settings_with: Callable[..., Settings]) -> Settings:
    return settings_with(studio_port=0, max_queued=20, studio_mcp=True)


@pytest.fixture
async def person(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    """Who sends from the page, as a program and as an agent with the same key."""
    async with httpx.AsyncClient(base_url=studio.url, headers=KEY, timeout=30) as client:
        yield client


def offered_in(mode: Mode) -> dict[str, Option]:
    return {name: row for name, row in ROWS.items() if row.offered_in(mode)}


def form(mode: Mode, *, guided: bool) -> ModeForm:
    def built() -> ModeForm:
        with gr.Blocks(analytics_enabled=False):
            return build_form(mode, FormRules(LIMITS, guided), {})

    return in_own_loop(built)


@pytest.mark.parametrize("mode", MODES)
def test_every_option_has_a_field_with_its_words_and_range(mode: Mode) -> None:
    offered, fields = offered_in(mode), form(mode, guided=True).fields
    plain = form(mode, guided=False)
    known = {item["name"] for item in plain.card.props["kept"]["fields"]}

    assert fields.keys() & ROWS.keys() == offered.keys()
    assert known & ROWS.keys() == {name for name, row in offered.items() if not row.guided_only}
    for name, row in offered.items():
        field: Any = fields[name]
        assert sentences("en")[f"option.{name}.name"].lower() in field.label.lower(), name
        assert field.elem_id == f"{name}-{mode}", name
        if row.kind is OptionKind.CHOICE:
            assert {choice for _, choice in field.choices} >= {str(c) for c in row.choices}, name
        if getattr(field, "maximum", None) is not None:
            assert (field.minimum, field.maximum) == row.range_in(LIMITS), name
        if row in NEW_ROWS:
            assert field.info == f"Hint on {name}"


@pytest.mark.parametrize("mode", MODES)
def test_every_option_is_an_argument_of_the_endpoint_and_the_tool(mode: Mode) -> None:
    offered = offered_in(mode)
    roles = [slot.role for slot in MODES[mode].every_slot]
    tool = next(tool for tool in tools(LIMITS) if tool.name == mode)
    arguments = tool.inputSchema["properties"]

    assert {*signature_of(mode).parameters} == {"request", *roles, *offered}
    assert {*arguments} == {*roles, *offered}
    for name, row in offered.items():
        argument = arguments[name]
        assert argument["description"], name
        if row.kind is OptionKind.CHOICE:
            assert argument["enum"] == [str(choice) for choice in row.choices], name
        if row.kind in (OptionKind.NUMBER, OptionKind.COUNT):
            assert (argument["minimum"], argument["maximum"]) == row.range_in(LIMITS), name


def test_what_programs_give_by_position_stays_there_and_new_rows_come_behind() -> None:
    first = ["prompt", "preset", "aspect", "seconds", "seed", "camera"]
    then = ["width", "height", "fps", "negative_prompt", "enhance", "drafts", "style"]

    assert list(signature_of(Mode.T2V).parameters) == [
        *("request", *first, *then),
        *(row.name for row in NEW_ROWS),
    ]


def chosen_in(mode: Mode) -> dict[str, Any]:
    """A value for every option of one job of the mode but the shape, which the sides outdo."""
    rows = {name: row for name, row in offered_in(mode).items() if not row.several}
    left_out = {"aspect", KEPT_ELSEWHERE}
    values = {name: sample(row, LIMITS) for name, row in rows.items() if name not in left_out}
    return {name: SMALL.get(name, value) for name, value in values.items()}


@pytest.fixture
def files(tmp_path: Path) -> dict[MediaKind, Path]:
    return {
        MediaKind.IMAGE: write_png(tmp_path / "a.png"),
        MediaKind.AUDIO: write_wav(tmp_path / "a.wav"),
        MediaKind.VIDEO: write_video(tmp_path / "a.mp4", frames=30),
    }


async def by_form(
    person: httpx.AsyncClient, mode: Mode, values: dict[str, Any], files: dict[MediaKind, Path]
) -> str:
    fields: dict[str, Any] = {}
    for slot in MODES[mode].slots:
        content = await asyncio.to_thread(files[slot.kind].read_bytes)
        sent = await person.post("/gradio_api/upload", files={"files": ("a", content)})
        fields[slot.role] = sent.json()[0]
    for name, value in values.items():
        fields |= form_of(ROWS[name], mode, value)
    body = {"values": fields, "key": "0123456789abcdef" * 2}
    answer = (await person.post(f"/studio/forms/{mode}/generate", json=body)).json()
    assert answer["job"], answer
    return str(answer["job"])


async def by_program(
    studio: ServedStudio, mode: Mode, values: dict[str, Any], files: dict[MediaKind, Path]
) -> str:
    media = {slot.role: handle_file(files[slot.kind]) for slot in MODES[mode].slots}
    given = {**values, "seed": str(values["seed"]), **media}

    def call() -> str:
        client = Client(studio.url, verbose=False, headers=KEY, httpx_kwargs={"timeout": 60})
        return str(client.predict(api_name=f"/{mode}", **given)["job"])

    return await asyncio.to_thread(call)


async def by_agent(
    studio: ServedStudio, mode: Mode, values: dict[str, Any], files: dict[MediaKind, Path]
) -> str:
    media: dict[str, str] = {}
    for slot in MODES[mode].slots:
        content = await asyncio.to_thread(files[slot.kind].read_bytes)
        media[slot.role] = f"data:;base64,{b64encode(content).decode()}"
    given = {**values, "seed": str(values["seed"]), **media}
    async with (
        httpx.AsyncClient(headers=KEY, timeout=30) as http,
        streamable_http_client(f"{studio.url}/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        result = await session.call_tool(mode, given)
    assert not result.isError, result.content
    return str((result.structuredContent or {})["job"])


@pytest.mark.parametrize("mode", MODES)
async def test_form_program_and_agent_get_the_same_request(
    studio: ServedStudio,
    executor: QuickExecutor,
    person: httpx.AsyncClient,
    files: dict[MediaKind, Path],
    mode: Mode,
) -> None:
    executor.gate.clear()
    values = chosen_in(mode)
    ids = (
        await by_form(person, mode, values, files),
        await by_program(studio, mode, values, files),
        await by_agent(studio, mode, values, files),
    )
    asked = [to_json((await studio.core.jobs.get(job)).request) for job in ids]
    executor.gate.set()

    assert asked[0] == asked[1] == asked[2]
    for row in (row for row in offered_in(mode).values() if row.kept):
        assert asked[0]["sampling"][row.name] == values[row.name], row.name
    assert asked[0]["prompt"] == values["prompt"]


async def made(person: httpx.AsyncClient, studio: ServedStudio) -> Path:
    """Ask for a clip with words in every text, and return the finished file."""
    job = await by_form(person, Mode.T2V, {**chosen_in(Mode.T2V), **TEXTS}, {})
    assert (await until_ended(studio.core, job)).state == "succeeded"
    for address in ("state", f"state?job={job}", "history"):
        await person.get(f"/studio/{address}")
    return (await clip_in(studio.core, job)).path


async def dropped(person: httpx.AsyncClient, clip: Path) -> dict[str, Any]:
    """Drop ``clip`` on the page and return what each tick would change."""
    content = await asyncio.to_thread(clip.read_bytes)
    sent = await person.post("/gradio_api/upload", files={"files": ("a.mp4", content)})
    return (await person.post("/studio/dropped", json={"path": sent.json()[0]})).json()["changes"]


def spoken(text: str) -> tuple[bytes, bytes]:
    return text.encode(), json.dumps(text)[1:-1].encode()


async def test_no_words_of_a_person_are_in_the_clip_its_captions_or_the_log(
    studio: ServedStudio,
    person: httpx.AsyncClient,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clip = await made(person, studio)
    content = b"".join(path.read_bytes() for path in clip.parent.glob(f"{clip.stem}*"))
    changes = await dropped(person, clip)
    captured = capfd.readouterr()
    log = (captured.out + captured.err + caplog.text).encode()

    for name, text in TEXTS.items():
        assert not [form for form in spoken(text) if form in content], name
        assert not [form for form in spoken(text) if form in log], name
        assert name not in changes, name
    assert {row.name for row in NEW_ROWS} - TEXTS.keys() <= changes.keys()


async def test_where_the_operator_lets_words_into_files_a_dropped_clip_fills_every_field(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, prompt_in_metadata=True)
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(base_url=studio.url, headers=KEY, timeout=30) as person,
    ):
        clip = await made(person, studio)
        changes = await dropped(person, clip)
        guided = {row.name for row in ROWS.values() if row.guided_only}

    values = {**chosen_in(Mode.T2V), **TEXTS}
    found = {name: value for fields in changes.values() for name, value in fields.items()}
    for name in values.keys() - guided:
        assert form_of(ROWS[name], Mode.T2V, values[name]).items() <= found.items(), name
