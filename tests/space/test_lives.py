"""The lives of one Space: stopped, killed, cut off, started again in the same home."""

import os
import re
import signal
from collections.abc import AsyncGenerator

import httpx
import pytest

from core.testing.doubles import eventually
from tests.space.machine import HOST, USER, Machine
from tests.space.running import Running
from webui.testing.oauth_provider import CLIENT_ID, CLIENT_SECRET, Account, Provider, providing
from webui.testing.zerogpu import Rules


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_stopped_space_leaves_no_warm_worker_and_starts_again(
    machine: Machine, how: signal.Signals
) -> None:
    async with machine.running() as space, space.visitor("ada") as ada:
        done = await ada.ask()
        await ada.made(done)
        assert len(machine.processes()) > 1  # the worker waits for its next run
        await space.stop(how)

    async with machine.running() as again, again.visitor("ada") as ada:
        kept = await ada.clip(done)
        await ada.made(await ada.ask())

    assert space.left == []
    assert not space.late
    assert kept


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_space_stopped_during_a_lease_leaves_no_worker_and_the_job_goes_on(
    machine: Machine, how: signal.Signals
) -> None:
    machine.close_gate()
    async with machine.running() as space, space.visitor("ada") as ada:
        job = await ada.ask()

        async def begun() -> bool:
            return len(machine.standing()) == 1

        await eventually(begun, 300)
        await space.stop(how)
    machine.open_gate()

    async with machine.running() as again, again.visitor("ada") as ada:
        assert await ada.made(job)

    assert space.left == []
    assert not space.late


@pytest.fixture
async def provider() -> AsyncGenerator[Provider]:
    async with providing(Account("64ada", "ada", pro=True)) as running:
        yield running


async def sign_in(http: httpx.AsyncClient, space: Running) -> None:
    """Go to Hugging Face and back, as the platform's proxy passes it on."""
    question = httpx.URL((await http.get("/login/huggingface")).headers["location"])
    secure_cookies_over_http(http)
    assert question.params["redirect_uri"].startswith(f"https://{HOST}/")
    await http.get(question)
    sent = await http.post(question, data={"answer": "allow"})
    back = httpx.URL(sent.headers["location"])
    await http.get(f"{space.url}{back.raw_path.decode()}")
    secure_cookies_over_http(http)


@pytest.mark.parametrize("storage", ["home", "bucket"])
async def test_clips_quotas_and_sign_ins_outlive_a_restart(
    machine: Machine, provider: Provider, storage: str
) -> None:
    """A restart inside the container keeps its home; a new one keeps what a bucket holds."""
    machine.variables |= {
        "OAUTH_CLIENT_ID": CLIENT_ID,
        "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
        "OPENID_PROVIDER_URL": provider.url,
    }
    if storage == "bucket":
        bucket = machine.base / "bucket"
        bucket.mkdir()
        os.chown(bucket, USER, USER)
        machine.variables["CLAPPER_DATA_DIR"] = str(bucket / "clapper")
    async with machine.running() as space, space.visitor("ada", **{"x-clapper-key": ""}) as ada:
        await ada.http.get("/")
        await sign_in(ada.http, space)
        assert (await ada.http.get("/studio/account")).json()["name"] == "ada"
        job = await ada.ask()
        await ada.made(job)
        before = await ada.state()
        cookies = dict(ada.http.cookies)
    if storage == "bucket":
        for path in machine.home.iterdir():
            if path.name != ".cache":
                path.rename(machine.base / f"old-{path.name}")

    async with machine.running() as again, again.visitor("ada", **{"x-clapper-key": ""}) as ada:
        ada.http.cookies.update(cookies)
        account = (await ada.http.get("/studio/account")).json()
        history = (await ada.http.get("/studio/history")).json()
        after = await ada.state()
        clip = await ada.clip(job)

    assert account["name"] == "ada"
    assert [item["id"] for item in history["items"]] == [job]
    assert after["quota"] == before["quota"]
    assert clip


def secure_cookies_over_http(http: httpx.AsyncClient) -> None:
    """The platform's proxy ends TLS; here the client itself stands where it does."""
    for cookie in http.cookies.jar:
        cookie.secure = False


class TestKilled:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(kills=True, gpus=2, second_s=0.1)

    async def test_seconds_that_the_lender_counted_are_told_when_it_cuts_a_run_off(
        self, machine: Machine, rules: Rules
    ) -> None:
        machine.close_gate()
        second = str(rules.second_s)
        async with machine.running(SPACE_TEST_SECOND=second) as space, space.visitor("ada") as ada:
            found = await ada.over(await ada.ask())
            quota = (await ada.state())["quota"]

        error = found["error"]
        assert isinstance(error, dict)
        assert error["code"] == "gpu_time_exceeded", (found, space.said[-30:])
        assert {one.how for one in machine.lender.leases} == {"killed"}
        counted = machine.lender.counted_s("ada")
        told = re.search(r"(?:(\d+) min )?(\d+) s", str(found["charged"]))
        assert told is not None, found["charged"]
        charged = int(told[1] or 0) * 60 + int(told[2])
        assert abs(charged - counted) <= 0.1 * counted + 5
        assert isinstance(quota, dict)
        assert quota["share"] < 1
