"""Guessing secrets of a Studio: passwords, the token of the figures; and cookies behind https."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from core.app.logs import set_up_logging
from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.settings import PROJECT_ROOT, Settings, load_settings
from core.testing.doubles import QuickExecutor
from tests.support.settings import changed
from webui.auth.user_file import User, add
from webui.testing.server import served

PAGE = {"accept": "text/html"}


@pytest.fixture
def closed(settings_with: Callable[..., Settings], tmp_path: Path) -> Settings:
    """A Studio for the account ``ada``."""
    add(tmp_path / "users", User.of("ada", "correct horse"))
    return settings_with(studio_port=0, studio_users=tmp_path / "users")


def form(password: str, name: str = "ada") -> dict[str, str]:
    return {"username": name, "password": password}


def from_afar(number: int) -> dict[str, str]:
    """What a proxy on this machine says of somebody elsewhere."""
    return {"x-forwarded-for": f"203.0.113.{number}"}


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_guesses_are_slowed_also_all_at_once_and_for_names_that_do_not_exist(
    closed: Settings, executor: QuickExecutor, name: str
) -> None:
    async with (
        served(closed, executor) as studio,
        httpx.AsyncClient(base_url=studio.url, timeout=60) as http,
    ):
        guesses = [http.post("/login", data=form(f"guess {n}", name)) for n in range(30)]
        statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
        while (await http.post("/login", data=form("guess", name))).status_code != 429:
            pass  # a machine so slow that the first waits are over already
        again = await http.post("/login", data=form("correct horse", name))
        page = await http.post("/login", data=form("correct horse", name), headers=PAGE)
        elsewhere = await http.post(
            "/login", data=form("correct horse", "ada"), headers=from_afar(5)
        )

    assert statuses.count(400) < 10
    assert set(statuses) == {400, 429}
    wait_s = int(again.headers["retry-after"])
    assert again.status_code == 429
    assert again.json()["detail"] == say("too_many_tries", {"wait_s": wait_s})
    assert page.status_code == 429
    assert say("too_many_tries", {"wait_s": int(page.headers["retry-after"])}) in page.text
    assert 'name="password"' in page.text
    assert elsewhere.status_code == 200


async def test_a_header_from_elsewhere_than_the_proxy_gives_no_fresh_tries(
    closed: Settings, executor: QuickExecutor
) -> None:
    """The proxy appends the true address; what stands before it was typed by the guesser."""
    async with (
        served(closed, executor) as studio,
        httpx.AsyncClient(base_url=studio.url, timeout=60) as http,
    ):
        statuses: list[int] = []
        for number in range(12):
            headers = {
                "x-forwarded-for": f"198.51.100.{number}, 203.0.113.9",
                "x-real-ip": f"198.51.100.{number}",
                "forwarded": f"for=198.51.100.{number}",
            }
            answer = await http.post("/login", data=form("guess"), headers=headers)
            statuses.append(answer.status_code)

    assert 429 in statuses


async def test_a_browser_that_signed_in_before_gets_in_while_a_neighbour_guesses(
    closed: Settings, executor: QuickExecutor
) -> None:
    async with (
        served(closed, executor) as studio,
        httpx.AsyncClient(base_url=studio.url, timeout=60) as owner,
        httpx.AsyncClient(base_url=studio.url, timeout=60) as neighbour,
    ):
        await owner.post("/login", data=form("correct horse"))
        await owner.get("/logout")
        while (await neighbour.post("/login", data=form("guess"))).status_code != 429:
            pass
        neighbour.cookies.set("clapper_browser", owner.cookies["clapper_browser"] + "x")
        forged = await neighbour.post("/login", data=form("correct horse"))
        back = await owner.post("/login", data=form("correct horse"))

    assert forged.status_code == 429
    assert back.status_code == 200


async def test_every_refusal_is_a_line_that_the_documented_filter_finds(
    closed: Settings, executor: QuickExecutor, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (PROJECT_ROOT / "docs" / "operator.md").read_text("utf-8")
    written = re.search(r"^failregex = (.+)$", text, re.MULTILINE)
    assert written is not None
    found = re.compile(written[1].replace("<ADDR>", r"(?P<address>\S+)"))
    names = ["ada", "address=198.51.100.1 why=wrong", "a\nb", "", "\x1b[31m", "ada"]

    async with (
        served(closed, executor) as studio,
        httpx.AsyncClient(base_url=studio.url, timeout=60) as http,
    ):
        set_up_logging("info")
        for number, name in enumerate(names, 1):
            await http.post("/login", data=form("guess", name), headers=from_afar(number))
        for _ in range(7):
            await http.post("/login", data=form("guess", "ada"), headers=from_afar(77))
    lines = [line for line in capsys.readouterr().err.splitlines() if "sign_in_refused" in line]
    banned = [match["address"] for line in lines if (match := found.match(line))]

    assert banned[: len(names)] == [f"203.0.113.{n}" for n in range(1, len(names) + 1)]
    assert banned[len(names) :] == ["203.0.113.77"] * 7
    assert len(lines) == len(banned)
    assert "guess" not in "".join(lines)


async def test_a_form_of_any_size_is_not_read_to_its_end(
    closed: Settings, executor: QuickExecutor
) -> None:
    async with (
        served(closed, executor) as studio,
        httpx.AsyncClient(base_url=studio.url, timeout=60) as http,
    ):
        answer = await http.post("/login", data=form("x" * 1_000_000))

    assert answer.status_code == 413


async def test_a_closed_studio_gives_its_figures_for_the_token_only(
    closed: Settings, executor: QuickExecutor
) -> None:
    token = "a token of its own"
    without, with_token = closed, changed(closed, metrics_token=SecretStr(token))
    async with (
        served(without, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        shut = await http.get("/metrics", headers={"authorization": "Bearer x"})
        health = await http.get("/healthz")
    async with (
        served(with_token, QuickExecutor()) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        right = await http.get("/metrics", headers={"authorization": f"Bearer {token}"})
        none = await http.get("/metrics")
        wrong = [
            (await http.get("/metrics", headers={"authorization": f"bearer {n}"})).status_code
            for n in range(10)
        ]

    assert (shut.status_code, health.status_code) == (403, 200)
    assert "CLAPPER_METRICS_TOKEN" in shut.text
    assert none.status_code == 401
    assert none.headers["www-authenticate"].startswith("Bearer")
    assert set(wrong) == {401, 429}
    assert "clapper_jobs" in right.text
    assert "clapper_jobs" not in none.text


async def test_an_open_studio_with_a_token_asks_for_it_too(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0, metrics_token=SecretStr("a token of its own"))
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        assert (await http.get("/metrics")).status_code == 401


@pytest.mark.parametrize("token", ["short", "fifteen letters"])
def test_a_token_that_can_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        load_settings(metrics_token=token)

    assert caught.value.setting == "CLAPPER_METRICS_TOKEN"


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        ({}, False),
        ({"x-forwarded-proto": "https"}, True),
        ({"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}, True),
        ({"forwarded": 'for=203.0.113.9;proto="https"'}, True),
        ({"origin": "https://127.0.0.1"}, True),
    ],
)
async def test_cookies_of_accounts_are_secure_behind_any_https_proxy(
    closed: Settings, executor: QuickExecutor, headers: dict[str, str], *, secure: bool
) -> None:
    async with (
        served(closed, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        if "origin" in headers:  # a page at the same host behind TLS, which names no port
            headers = {**headers, "host": "127.0.0.1"}
        answer = await http.post("/login", data=form("correct horse"), headers=headers)

    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 3  # the session, whose forms the page keeps, and this browser
    assert ["; secure" in cookie.lower() for cookie in cookies] == [secure] * 3


async def test_the_cookie_of_a_guest_is_secure_behind_an_https_proxy(
    settings_with: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_with(studio_port=0)
    async with (
        served(settings, executor) as studio,
        httpx.AsyncClient(timeout=60, base_url=studio.url) as http,
    ):
        plain = await http.get("/studio/state")
        http.cookies.clear()
        behind = await http.get("/studio/state", headers={"x-forwarded-proto": "https"})

    assert "secure" not in plain.headers["set-cookie"].lower()
    assert behind.headers["set-cookie"].lower().count("secure") == 1
