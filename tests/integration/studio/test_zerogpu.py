"""The real lender's package against a device API of our own: durations, cancels, every error."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.duration import BY_KEY, Machine, Tier
from core.executor import Order
from core.presets import Preset
from core.requests import Sampling, TextToVideo

PROGRAM = Path(__file__).with_name("zerogpu_program.py")


@dataclass
class Lender:
    """What the device API answers to the next requests for a GPU, and what it was asked."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


def granted(number: int) -> tuple[int, dict[str, str], bytes]:
    body = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": f"t{number}"}
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


def refused(wait: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps({"left": 10, "wait": wait}).encode()
    return 429, {"content-type": "application/json", **headers}, body


@pytest.fixture
def lender() -> Generator[Lender]:
    state = Lender()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            address = urlsplit(self.path)
            state.calls.append(address.path)
            status, headers, body = 200, {"content-type": "text/plain"}, b""
            if address.path == "/schedule":
                state.asked.append({k: v[0] for k, v in parse_qs(address.query).items()})
                number = len(state.asked)
                status, headers, body = state.answers.pop(0) if state.answers else granted(number)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


Run = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture
def space(lender: Lender, tmp_path: Path) -> Run:
    async def run(scenario: str) -> dict[str, Any]:
        cgroup = tmp_path / "cgroup"
        cgroup.write_text("0::/x\n")
        variables = {
            **os.environ,
            "HOME": str(tmp_path),
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": lender.url,
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(cgroup),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            scenario,
            str(tmp_path),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=variables,
        )
        out, err = await asyncio.wait_for(process.communicate(), 90)
        lines = [line for line in out.decode().splitlines() if line.startswith("{")]
        assert lines, err.decode()[-3000:]
        return json.loads(lines[-1])

    return run


async def test_a_clip_comes_back_from_the_borrowed_gpu(space: Run, lender: Lender) -> None:
    answer = await space("made")

    assert answer["code"] == "made"
    assert answer["frames"] == [9, 64, 64, 3]
    assert answer["sound"] == 1
    assert answer["events"] >= 3
    assert lender.calls == ["/schedule", "/allow", "/release"]


async def test_the_requested_seconds_are_those_of_the_estimate(space: Run, lender: Lender) -> None:
    answer = await space("made")
    asked = lender.asked[0]

    # not on the lender's newest card here, whose factor is 1.5: the package takes it from /proc
    assert int(asked["durationSeconds"]) == answer["declared_s"]
    assert asked["gpuSize"] == "large"


async def test_a_cancel_reaches_the_process_with_the_gpu_within_a_second(
    space: Run, lender: Lender
) -> None:
    answer = await space("cancel")

    assert answer["code"] == "cancelled"
    assert answer["late_s"] < 1.0
    assert lender.calls[-1] == "/release"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refused(-1), "gpu_duration_illegal"),
        (refused(60), "gpu_login_needed"),
        (
            refused(60, **{"X-Approve-Result": "pending-overquota-exceeded"}),
            "gpu_quota_exceeded",
        ),
        ((503, {}, b""), "gpu_unavailable"),
        ((401, {}, b""), "gpu_login_needed"),
        ((500, {}, b""), "gpu_unavailable"),
        (
            (200, {"content-type": "text/event-stream"}, b"event: failed\n\n"),
            "gpu_queue_timeout",
        ),
    ],
)
async def test_every_refusal_of_the_lender_becomes_an_error_of_ours(
    space: Run, lender: Lender, reply: tuple[int, dict[str, str], bytes], code: str
) -> None:
    lender.answers.append(reply)

    assert (await space("made"))["code"] == code


@pytest.mark.parametrize(
    ("scenario", "code"),
    [("dies", "gpu_worker_died"), ("fails", "out_of_memory"), ("breaks", "internal_error")],
)
async def test_what_goes_wrong_beside_the_gpu_is_told_apart(
    space: Run, scenario: str, code: str
) -> None:
    assert (await space(scenario))["code"] == code


async def test_a_run_that_was_cut_off_is_tried_once_more_for_longer(
    space: Run, lender: Lender
) -> None:
    answer = await space("overtime")

    first, second = (int(asked["durationSeconds"]) for asked in lender.asked)
    assert answer["code"] == "made"
    assert second > first == answer["declared_s"]


@pytest.mark.parametrize(
    ("tier", "frames", "again"),
    [(Tier.PRO, 121, True), (Tier.PRO, 481, True), (Tier.ANONYMOUS, 481, False)],
)
def test_a_second_try_needs_a_day_that_holds_both(tier: Tier, frames: int, again: bool) -> None:
    from webui.lease import Call
    from webui.leased import STRETCH, LeasedExecutor
    from webui.visits import Visits

    machine = Machine(BY_KEY["rtx-pro-6000-half"], "fp8")
    sampling = Sampling(Preset.FAST, 1280, 704, frames, 24, seed=1)
    order = Order("j", 1, TextToVideo(prompt="x", sampling=sampling), Path(), Path())
    executor = LeasedExecutor("comfy", machine, Visits(), tier)

    first, second = (Call(order, machine, tier, stretch) for stretch in (1.0, STRETCH))

    assert executor._affordable(first, second) is again


async def test_the_page_reports_its_start_and_lets_many_wait(space: Run, lender: Lender) -> None:
    answer = await space("page")

    assert answer["max_size"] == 200
    assert "/startup-report" in lender.calls


def test_the_declared_seconds_follow_the_request_and_stay_in_the_day() -> None:
    from webui.lease import Call, declared_s

    def declared(frames: int, tier: Tier, stretch: float = 1.0) -> int:
        sampling = Sampling(Preset.FAST, 768, 512, frames, 24, seed=1)
        order = Order("j", 1, TextToVideo(prompt="x", sampling=sampling), Path(), Path())
        machine = Machine(BY_KEY["rtx-pro-6000-half"], "fp8")
        return declared_s(Call(order, machine, tier, stretch))

    assert declared(121, Tier.PRO) < declared(241, Tier.PRO) < declared(241, Tier.PRO, 1.6)
    assert declared(481, Tier.ANONYMOUS, 9.0) == 80  # × 1.5 is the whole day of 120 s
