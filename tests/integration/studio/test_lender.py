"""The double of the lender: it counts, refuses and kills as the platform does."""

import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack

import httpx
import pytest

from webui.testing.zerogpu import Lender, Rules, lending

Lend = Callable[..., Lender]
WAITS = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def lend() -> Generator[Lend]:
    with ExitStack() as stack:
        yield lambda **rules: stack.enter_context(lending(Rules(**rules)))


@pytest.fixture
def worker() -> Generator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def ask(lender: Lender, visitor: str = "ada", seconds: int = 60, token: str = "") -> httpx.Response:
    asked = {"taskId": 1, "token": token or lender.token(visitor), "durationSeconds": seconds}
    return httpx.post(f"{lender.url}/schedule", params=asked, timeout=30)


def call(lender: Lender, address: str, **values: str | int) -> int:
    return httpx.post(f"{lender.url}{address}", params=values).status_code


def test_a_worker_is_killed_when_its_seconds_are_over_and_they_are_counted(
    lend: Lend, worker: "subprocess.Popen[bytes]"
) -> None:
    lender = lend(kills=True, second_s=0.01)
    lent = ask(lender, seconds=30).json()
    call(lender, "/allow", allowToken=lent["allowToken"], pid=worker.pid)

    assert lender.ended(0).how == "killed"
    assert worker.wait(10) == -9
    assert call(lender, "/release", allowToken=lent["allowToken"]) == 404
    assert 30 <= lender.counted_s("ada") < 40
    assert lender.counted_s("eve") == 0


def test_a_kept_worker_is_offered_again_until_it_was_kept_long_enough(
    lend: Lend, worker: "subprocess.Popen[bytes]"
) -> None:
    lender = lend(keep_s=1000, second_s=0.01)
    lent = ask(lender).json()
    call(lender, "/allow", allowToken=lent["allowToken"], pid=worker.pid)
    call(lender, "/release", allowToken=lent["allowToken"])
    again = ask(lender).json()
    call(lender, "/release", allowToken=again["allowToken"], fail="true")

    assert (lent["idle"], again["idle"], ask(lender).json()["idle"]) == (False, True, False)


def test_an_aged_token_a_long_call_and_a_used_day_are_refused(lend: Lend) -> None:
    lender = lend(token_s=1000, call_s=100, day_s=150, second_s=0.001)
    aged = lender.token("ada")
    lender.expire(aged)

    assert ask(lender, token=aged).status_code == 401
    assert ask(lender, seconds=101).json() == {"left": 0, "wait": -1}
    lent = ask(lender, seconds=100).json()
    threading.Event().wait(0.06)  # the lender's clock is real time: sixty of its seconds
    call(lender, "/release", allowToken=lent["allowToken"])
    assert ask(lender, seconds=100).status_code == 429
    assert ask(lender, visitor="eve", seconds=100).status_code == 200


def test_who_finds_every_gpu_lent_waits_in_line(lend: Lend) -> None:
    lender = lend(gpus=1)
    lent = ask(lender).json()
    said: list[str] = []
    waiting = threading.Thread(target=lambda: said.append(ask(lender, "eve").text))
    waiting.start()
    call(lender, "/release", allowToken=lent["allowToken"])
    waiting.join(10)

    assert said[0].startswith(("event: succeeded", '{"idle"'))
    assert [one.visitor for one in lender.leases] == ["ada", "eve"]
