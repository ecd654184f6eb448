"""The parts of core.comfy that need no ComfyUI: stages, failures, memory, the server's surface."""

import logging
from pathlib import Path

import pytest

from core.comfy import error_mapping
from core.comfy.engine import NodeError, quiet
from core.comfy.memory import decode_bytes
from core.comfy.progress_events import StageRelay
from core.comfy.prompt_server import HeadlessServer
from core.domain.progress import Stage, Working
from core.errors import (
    DeviceLost,
    DiskFull,
    InternalError,
    ModelUnavailable,
    OutOfMemory,
    OwnWorkflowFailed,
    WorkflowRefused,
)
from core.testing.doubles import t2v

STAGES = {
    "loader": Stage.LOAD,
    "text": Stage.TEXT,
    "image": Stage.PREPARE,
    "noise": Stage.STAGE1,
    "sampler": Stage.STAGE1,
    "late_loader": Stage.LOAD,
    "second": Stage.STAGE2,
    "decode": Stage.DECODE,
}
SHARES = {Stage.TEXT: 0.1, Stage.STAGE1: 0.3, Stage.STAGE2: 0.5, Stage.DECODE: 0.1}


def running(node: str, value: int = 0, maximum: int = 1) -> dict[str, object]:
    return {"nodes": {node: {"state": "running", "value": value, "max": maximum}}}


def follow(*steps: tuple[str, int, int]) -> list[Working]:
    seen: list[Working] = []
    relay = StageRelay(STAGES, SHARES, seen.append)
    for node, value, maximum in steps:
        relay.take("progress_state", running(node, value, maximum))
    relay.finish()
    return seen


def test_sampler_steps_move_the_fraction_by_the_share_of_their_stage() -> None:
    seen = follow(("text", 0, 1), ("sampler", 4, 8), ("second", 3, 3))

    assert seen[1] == Working(Stage.STAGE1, 4, 8, pytest.approx(0.1 + 0.15))
    assert seen[2] == Working(Stage.STAGE2, 3, 3, pytest.approx(0.9))


def test_text_and_inputs_may_take_turns_but_a_sampler_is_never_left_for_a_loader() -> None:
    seen = follow(
        ("image", 0, 1), ("text", 0, 1), ("sampler", 8, 8), ("late_loader", 0, 1), ("second", 1, 3)
    )

    assert [event.stage for event in seen] == [
        Stage.PREPARE, Stage.TEXT, Stage.STAGE1, Stage.STAGE2,
    ]  # fmt: skip


def test_a_small_node_beside_the_sampler_does_not_reset_its_steps() -> None:
    seen = follow(("sampler", 8, 8), ("noise", 0, 1))

    assert len(seen) == 1


def test_events_of_unknown_nodes_and_kinds_are_ignored() -> None:
    seen: list[Working] = []
    relay = StageRelay(STAGES, SHARES, seen.append)

    relay.take("progress_state", running("made_by_a_subgraph"))
    relay.take("executing", {"node": "sampler"})

    assert seen == []


def test_time_is_kept_by_stage() -> None:
    relay = StageRelay(STAGES, SHARES, lambda _: None)
    for node in ("loader", "text", "sampler"):
        relay.take("progress_state", running(node))
    relay.finish()

    assert list(relay.seconds()) == [Stage.LOAD, Stage.TEXT, Stage.STAGE1]
    assert all(spent >= 0 for spent in relay.seconds().values())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NodeError("1", "SamplerCustomAdvanced", "torch.OutOfMemoryError", "x"), OutOfMemory),
        (NodeError("1", "VAEDecode", "torch.cuda.OutOfMemoryError", "x"), OutOfMemory),
        (NodeError("1", "VAEDecode", "MemoryError", ""), OutOfMemory),
        (
            NodeError("1", "VAEDecode", "torch.AcceleratorError", "CUDA error: out of memory"),
            OutOfMemory,
        ),
        (NodeError("1", "VAEDecode", "RuntimeError", "MPS backend out of memory"), OutOfMemory),
        (NodeError("1", "VAEDecode", "RuntimeError", "shapes do not match"), InternalError),
        (NodeError("1", "ClapperOutput", "OSError", "[Errno 28] No space left"), DiskFull),
        (
            NodeError("1", "CheckpointLoaderSimple", "FileNotFoundError", "gone"),
            ModelUnavailable,
        ),
        (NodeError("1", "X", "ValueError", "no words", device_lost=True), DeviceLost),
        (NodeError("1", "X", "ValueError", "no words", memory_short=True), OutOfMemory),
        (
            NodeError("1", "X", "MemoryError", "", device_lost=True, memory_short=True),
            DeviceLost,
        ),
    ],
)
def test_node_errors_become_ours_by_type(error: NodeError, kind: type[Exception]) -> None:
    assert type(error_mapping.node_error(error, t2v())) is kind


@pytest.mark.parametrize(
    ("kind", "detail", "error"),
    [
        ("ZeroDivisionError", "division by zero", OwnWorkflowFailed),
        ("RuntimeError", "shapes do not match", OwnWorkflowFailed),
        ("Exception", "this pack wants a licence", OwnWorkflowFailed),
        ("RuntimeError", "CUDA error: unspecified launch failure", DeviceLost),
        ("torch.OutOfMemoryError", "x", OutOfMemory),
        ("OSError", "[Errno 28] No space left", DiskFull),
    ],
)
def test_what_breaks_in_an_operators_graph_is_its_own_fault_unless_the_machine_fails(
    kind: str, detail: str, error: type[Exception]
) -> None:
    found = error_mapping.node_error(NodeError("57:3", "Foreign", kind, detail), t2v(), own=True)

    assert type(found) is error
    assert getattr(found, "node", "57:3") == "57:3"


def test_a_model_that_went_away_during_the_run_is_named() -> None:
    detail = "Model in folder 'loras' with filename 'gone.safetensors' not found."
    error = NodeError("7", "LoraLoaderModelOnly", "FileNotFoundError", detail)

    found = error_mapping.node_error(error, t2v())

    assert isinstance(found, ModelUnavailable)
    assert found.file == "gone.safetensors"


def test_a_model_that_is_not_in_the_list_is_named() -> None:
    graph = {
        "7": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "gone.safetensors"}}
    }
    error = NodeError("7", "LoraLoaderModelOnly", "value_not_in_list", "…")

    found = error_mapping.validation_error([error], graph)

    assert isinstance(found, ModelUnavailable)
    assert found.file == "gone.safetensors"


def test_any_other_refusal_keeps_only_the_node_and_the_kind() -> None:
    error = NodeError("7", "ImageScale", "value_smaller_than_min", "the prompt could stand here")

    found = error_mapping.validation_error([error], {})

    assert isinstance(found, WorkflowRefused)
    assert found.data() == {"node": "7", "reason": "value_smaller_than_min"}


@pytest.mark.parametrize(
    ("latent", "at_most_gb"),
    [((1, 128, 16, 16, 24), 3.0), ((1, 128, 16, 34, 60), 4.0), ((1, 128, 31, 34, 60), 5.0)],
)
def test_a_decode_reserves_what_it_needs_and_not_the_whole_clip(
    latent: tuple[int, ...], at_most_gb: float
) -> None:
    assert decode_bytes(latent, 2) <= at_most_gb * 1e9


def test_a_small_decode_never_reserves_more_than_comfyui_would() -> None:
    assert decode_bytes((1, 128, 1, 4, 4), 2) == 1200 * 512 * 16 * 2


def test_the_server_refuses_names_that_are_not_listed() -> None:
    server = HeadlessServer()

    with pytest.raises(AttributeError):
        server.on_prompt_handlers  # type: ignore[attr-defined]  # noqa: B018  # must raise
    with pytest.raises(AttributeError):
        server.loop = None  # type: ignore[attr-defined]  # must raise


def test_a_pack_finds_a_closed_table_of_web_routes() -> None:
    app = HeadlessServer().app

    assert app.router.frozen
    app.add_routes(["/files"])
    with pytest.raises(AttributeError):
        app.middlewares  # type: ignore[attr-defined]  # noqa: B018  # must raise


def test_every_event_reaches_the_listener_of_the_run_and_nobody_else() -> None:
    server, seen = HeadlessServer(), []
    server.send_sync("executing", {"node": "1"}, "x")
    server.listener = lambda event, data: seen.append((event, data))

    server.send_sync("executing", {"node": "2"}, "x")

    assert seen == [("executing", {"node": "2"})]


def test_comfyui_s_own_log_records_stay_out_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    root = logging.getLogger()
    before = list(root.filters)
    quiet(Path("/somewhere/checkout"))
    try:
        record = ("x", logging.ERROR, "/somewhere/checkout/execution.py", 1, "the prompt", (), None)
        own = ("x", logging.ERROR, "/elsewhere/core/run.py", 1, "ours", (), None)
        root.handle(logging.LogRecord(*record))
        root.handle(logging.LogRecord(*own))
    finally:
        root.filters[:] = before

    assert [entry.message for entry in caplog.records] == ["ours"]
