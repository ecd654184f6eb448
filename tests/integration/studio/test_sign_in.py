"""Signing in with Hugging Face and with the user file: who one is then, and what goes wrong."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from gradio_client import Client
from pydantic import SecretStr

from core.domain.people import Requester
from core.errors.setup import BadConfiguration
from core.i18n.messages import say, sentences
from core.settings import Settings
from core.testing.doubles import QuickExecutor, eventually
from webui.auth.session_cookie import COOKIE, AccountSession, SessionSigner
from webui.auth.sign_in import SignInMethods
from webui.auth.user_file import User, add
from webui.testing.oauth_provider import CLIENT_ID, CLIENT_SECRET, Account, Provider, providing
from webui.testing.server import ServedStudio, served

ADA = Account("64ada", "ada", pro=True, orgs=("film-club",), pending=("studio-guild",))
BEN = Account("64ben", "ben")
SMALL = ["a boat", "fast", None, 1.0, None, "none", 256, 256, None, "", None]


@pytest.fixture
async def provider() -> AsyncGenerator[Provider]:
    async with providing(ADA) as running:
        yield running


@pytest.fixture
def settings_for(
    settings_with: Callable[..., Settings], provider: Provider
) -> Callable[..., Settings]:
    """Settings of a Studio that knows the provider, with some values changed."""

    def made(**values: object) -> Settings:
        return settings_with(
            **{
                "studio_port": 0,
                "max_queued": 20,
                "studio_oauth_client_id": CLIENT_ID,
                "studio_oauth_client_secret": SecretStr(CLIENT_SECRET),
                "studio_oauth_provider": provider.url,
                **values,
            }
        )

    return made


@pytest.fixture
def studio_settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for()


@asynccontextmanager
async def visiting(studio: ServedStudio) -> AsyncGenerator[httpx.AsyncClient]:
    headers = {"X-Clapper": "1"}
    async with httpx.AsyncClient(base_url=studio.url, headers=headers, timeout=30) as client:
        yield client


async def leave_for_provider(client: httpx.AsyncClient) -> httpx.URL:
    """Press the button; return the address of the provider's question."""
    answer = await client.get("/login/huggingface")
    assert answer.status_code == 302
    return httpx.URL(answer.headers["location"])


async def consent(client: httpx.AsyncClient, question: httpx.URL, answer: str = "allow") -> str:
    """Answer the provider's question; return the address it sends the browser to."""
    assert (await client.get(question)).status_code == 200
    sent = await client.post(question, data={"answer": answer})
    return str(sent.headers["location"])


async def sign_in(client: httpx.AsyncClient) -> str:
    """Go the whole way; return where the browser ends up."""
    back = await consent(client, await leave_for_provider(client))
    return str((await client.get(back)).headers["location"])


async def submitted(client: httpx.AsyncClient) -> str:
    """A job that this browser asks for through the API."""
    event = (await client.post("/gradio_api/call/t2v", json={"data": SMALL})).json()["event_id"]
    answer = (await client.get(f"/gradio_api/call/t2v/{event}")).text
    assert "event: complete" in answer, answer
    return json.loads(answer.partition("data: ")[2])[0]["job"]


async def made(client: httpx.AsyncClient, studio: ServedStudio) -> str:
    job = await submitted(client)

    async def over() -> bool:
        return (await studio.core.jobs.get(job)).state.terminal

    await eventually(over)
    return job


async def shown(client: httpx.AsyncClient) -> list[str]:
    items = (await client.get("/studio/history")).json()["items"]
    return [item["id"] for item in items]


async def told(client: httpx.AsyncClient, address: str) -> str:
    """The sentence that the page shows after it was opened at ``address``."""
    code = parse_qs(urlsplit(address).query)["sign_in"][0]
    problem = (await client.get("/studio/account", params={"sign_in": code})).json()["problem"]
    assert problem["code"] == code
    return problem["text"]


async def test_the_account_is_its_id_in_every_browser_and_after_a_restart(
    studio_settings: Settings, executor: QuickExecutor, provider: Provider
) -> None:
    async with served(studio_settings, executor) as studio, visiting(studio) as first:
        assert await sign_in(first) == "/"
        job = await made(first, studio)
        cookies = dict(first.cookies)
        owner = (await studio.core.jobs.get(job)).requester
    provider.account = Account(ADA.sub, "ada-renamed", pro=True)
    async with served(studio_settings, QuickExecutor()) as studio:
        async with visiting(studio) as first:
            first.cookies.update(cookies)
            after_restart = await shown(first)
        async with visiting(studio) as second:
            await sign_in(second)
            name = (await second.get("/studio/account")).json()["text"]
            elsewhere = await shown(second)

    assert owner == Requester("hf", ADA.sub)
    assert after_restart == elsewhere == [job]
    assert name == say("studio_signed_in", {"name": "ada-renamed"})


async def test_the_way_has_state_nonce_and_pkce_and_the_cookie_no_token(
    studio: ServedStudio, browser: httpx.AsyncClient, provider: Provider
) -> None:
    await sign_in(browser)
    asked = provider.asked[0]
    session = SessionSigner.in_folder(studio.core.settings.data_dir).read(browser.cookies[COOKIE])

    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) > 20
    assert len(asked["nonce"]) > 10
    assert asked["redirect_uri"] == f"{studio.url}/login/callback"
    assert session is not None
    assert (session.kind, session.id, session.name, session.pro) == ("hf", ADA.sub, "ada", True)
    assert not any(token in json.dumps(repr(session)) for token in provider._tokens)


async def test_two_accounts_cannot_reach_each_others_jobs_by_address_id_or_api(
    studio: ServedStudio, provider: Provider
) -> None:
    async with visiting(studio) as ada, visiting(studio) as ben:
        await sign_in(ada)
        provider.account = BEN
        await sign_in(ben)
        job = await made(ada, studio)

        for suffix in ("mp4", "png"):
            assert (await ada.get(f"/clips/{job}.{suffix}")).status_code == 200
            assert (await ben.get(f"/clips/{job}.{suffix}")).status_code == 404
        for action in ("delete", "again", "cancel", "longer", "quality"):
            assert (await ben.post(f"/studio/jobs/{job}/{action}")).status_code == 404
        assert (await ben.get(f"/studio/state?job={job}")).json()["job"] is None
        assert await shown(ben) == []
        client = await asyncio.to_thread(Client, studio.url, verbose=False)
        client.cookies.update(dict(ben.cookies))
        for endpoint in ("status", "cancel", "result"):
            with pytest.raises(Exception, match="no job"):
                await asyncio.to_thread(client.predict, job, api_name=f"/{endpoint}")


async def test_what_the_browser_made_as_a_guest_stays_visible_in_it_alone(
    studio: ServedStudio, provider: Provider
) -> None:
    async with visiting(studio) as mine, visiting(studio) as other:
        await mine.get("/")
        guest_job = await made(mine, studio)
        await sign_in(mine)
        account_job = await made(mine, studio)
        await sign_in(other)

        assert set(await shown(mine)) == {guest_job, account_job}
        assert await shown(other) == [account_job]
        assert (await mine.get(f"/clips/{guest_job}.mp4")).status_code == 200
        again = (await mine.post(f"/studio/jobs/{guest_job}/again")).json()["job"]
        payer = (await studio.core.jobs.get(again)).requester
        await mine.get("/logout")

        assert payer == Requester("hf", ADA.sub)
        assert await shown(mine) == [guest_job]
        assert (await mine.get(f"/clips/{account_job}.mp4")).status_code == 404


async def test_a_guests_job_in_line_is_still_shown_and_stopped_after_signing_in(
    studio: ServedStudio, browser: httpx.AsyncClient, executor: QuickExecutor
) -> None:
    executor.gate.clear()
    await browser.get("/")
    running, waiting = await submitted(browser), await submitted(browser)
    await executor.started.wait()
    await sign_in(browser)
    own = await submitted(browser)

    mine = (await browser.get("/studio/state")).json()["mine"]
    stopped = await browser.post(f"/studio/jobs/{waiting}/cancel")
    executor.gate.set()

    assert [job["id"] for job in mine] == [running, waiting, own]
    assert all(job["ready_in_s"] is not None for job in mine)
    assert stopped.status_code == 200


async def test_members_and_those_who_pay_there_have_quotas_of_their_own(
    settings_for: Callable[..., Settings], executor: QuickExecutor, provider: Provider
) -> None:
    settings = settings_for(studio_member_minutes=3.0, studio_pro_minutes=7.0)
    quotas: dict[str, str] = {}
    async with served(settings, executor) as studio:
        for account in (ADA, BEN):
            provider.account = account
            async with visiting(studio) as client:
                await sign_in(client)
                state = (await client.get("/studio/state")).json()
                quotas[state["account"]] = state["quota"]["text"]

    assert "7 min 00 s" in quotas["ada"]
    assert "3 min 00 s" in quotas["ben"]


async def test_no_consent_is_told_and_changes_nothing(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    await browser.get("/")
    job = await made(browser, studio)

    back = await consent(browser, await leave_for_provider(browser), "deny")
    landed = (await browser.get(back)).headers["location"]

    assert await told(browser, landed) == sentences("en")["sign_in_denied"]
    assert await shown(browser) == [job]


async def test_an_answer_to_somebody_elses_sign_in_is_refused(
    studio: ServedStudio, provider: Provider
) -> None:
    async with visiting(studio) as attacker, visiting(studio) as victim:
        back = await consent(attacker, await leave_for_provider(attacker))
        landed = (await victim.get(back)).headers["location"]
        await leave_for_provider(victim)
        under_way = (await victim.get(back)).headers["location"]

        assert await told(victim, landed) == sentences("en")["sign_in_stale"]
        assert under_way == landed
        assert (await victim.get("/studio/state")).json()["account"] == ""


async def test_an_answer_is_good_once(browser: httpx.AsyncClient, studio: ServedStudio) -> None:
    back = await consent(browser, await leave_for_provider(browser))

    first = (await browser.get(back)).headers["location"]
    second = (await browser.get(back)).headers["location"]

    assert first == "/"
    assert "sign_in_stale" in second


@pytest.mark.parametrize("broken", ["token", "userinfo"])
async def test_a_provider_that_breaks_on_the_way_is_told(
    studio: ServedStudio, browser: httpx.AsyncClient, provider: Provider, broken: str
) -> None:
    provider.broken = broken

    landed = await sign_in(browser)
    provider.broken = ""

    assert "Nothing is lost" in await told(browser, landed)
    assert (await browser.get("/studio/state")).json()["account"] == ""
    assert await sign_in(browser) == "/"


async def test_a_provider_that_is_down_is_told(
    settings_for: Callable[..., Settings], executor: QuickExecutor
) -> None:
    settings = settings_for(studio_oauth_provider="http://127.0.0.1:1")
    async with served(settings, executor) as studio, visiting(studio) as client:
        landed = (await client.get("/login/huggingface")).headers["location"]

        assert await told(client, landed) == sentences("en")["sign_in_unavailable"]


async def test_a_profile_of_somebody_else_than_the_signed_claims_is_refused(
    studio: ServedStudio, browser: httpx.AsyncClient, provider: Provider
) -> None:
    provider.lies = {"sub": BEN.sub}

    assert "sign_in_failed" in await sign_in(browser)


async def test_an_ended_session_is_told_and_its_jobs_are_there_after_the_next(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    await sign_in(browser)
    job = await made(browser, studio)
    signer = SessionSigner.in_folder(studio.core.settings.data_dir)
    browser.cookies.set(
        COOKIE, signer.sign(AccountSession("hf", ADA.sub, "ada", until=1)), "127.0.0.1"
    )

    account = (await browser.get("/studio/account")).json()
    closed = await browser.get(f"/clips/{job}.mp4")
    browser.cookies.delete(COOKIE, "127.0.0.1")
    await sign_in(browser)

    assert account["name"] == ""
    assert account["problem"]["text"] == sentences("en")["sign_in_expired"]
    assert closed.status_code == 404
    assert await shown(browser) == [job]


async def test_a_session_that_was_changed_or_sealed_elsewhere_is_none(
    studio: ServedStudio, browser: httpx.AsyncClient
) -> None:
    await sign_in(browser)
    whole = browser.cookies[COOKIE]
    forged = SessionSigner(b"another key").sign(AccountSession("hf", ADA.sub, "ada", until=2**40))

    for text in (whole[:-2], whole[2:], forged, "null", "{}"):
        async with visiting(studio) as other:
            other.cookies.set(COOKIE, text)
            assert (await other.get("/studio/state")).json()["account"] == ""


async def test_away_from_the_platform_nobody_is_signed_in_as_the_operator(
    settings_with: Callable[..., Settings], executor: QuickExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_the_operators_own")
    async with (
        served(settings_with(studio_port=0), executor) as studio,
        visiting(studio) as client,
    ):
        for address in ("/login/huggingface", "/login/callback", "/login/callback?_target_url=/"):
            assert (await client.get(address)).status_code == 404
        assert "session" not in client.cookies
        assert (await client.get("/studio/account")).status_code == 404


@pytest.mark.parametrize(
    ("listed", "landed"),
    [
        ("ada", "/"),
        ("film-club, somebody", "/"),
        (f"id:{ADA.sub}", "/"),
        (ADA.sub, "/?sign_in=sign_in_not_listed"),
        ("ben", "/?sign_in=sign_in_not_listed"),
        ("studio-guild", "/?sign_in=sign_in_not_listed"),
    ],
)
async def test_a_list_of_accounts_closes_the_studio_to_everybody_else(
    settings_for: Callable[..., Settings], executor: QuickExecutor, listed: str, landed: str
) -> None:
    settings = settings_for(studio_hf_accounts=listed)
    async with served(settings, executor) as studio, visiting(studio) as client:
        before = await client.get("/")
        answers = [
            (await client.get(address)).status_code
            for address in (
                "/config",
                "/gradio_api/info",
                "/studio/state",
                "/gradio_api/queue/data",
            )
        ]
        keyed = await client.get("/studio/state", headers={"X-Clapper-Key": "x" * 20})
        assert await sign_in(client) == landed
        page = await client.get(landed)

    assert before.status_code == 401
    assert say("studio_sign_in") in before.text
    assert answers == [401] * 4
    assert keyed.status_code == 401
    assert page.status_code == (200 if landed == "/" else 401)
    assert (sentences("en")["sign_in_not_listed"] in page.text) == (landed != "/")


async def test_user_file_and_hugging_face_stand_beside_each_other(
    settings_for: Callable[..., Settings], executor: QuickExecutor, tmp_path: Path
) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse", minutes=2))
    settings = settings_for(studio_users=book, studio_hf_accounts="ada")
    async with (
        served(settings, executor) as studio,
        visiting(studio) as by_file,
        visiting(studio) as by_account,
    ):
        form = {"username": "ada", "password": "wrong"}
        page = {"accept": "text/html"}
        wrong = await by_file.post("/login", data=form, headers=page, follow_redirects=True)
        right = await by_file.post("/login", data=form | {"password": "correct horse"})
        await sign_in(by_account)
        job = await made(by_file, studio)
        foreign = await by_account.get(f"/clips/{job}.mp4")
        program = await asyncio.to_thread(
            Client, studio.url, verbose=False, auth=("ada", "correct horse")
        )
        status = await asyncio.to_thread(program.predict, job, api_name="/status")

    assert sentences("en")["wrong_password"] in wrong.text
    assert right.json() == {"success": True}
    assert foreign.status_code == 404
    assert status["state"] == "succeeded"


async def test_a_new_password_ends_the_sessions_of_the_old_one(
    settings_with: Callable[..., Settings], tmp_path: Path
) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse"))
    settings = settings_with(studio_port=0, studio_users=book)
    cookies: dict[str, str] = {}
    states: list[int] = []
    for password in ("correct horse", "battery staple"):
        add(book, User.of("ada", password)) if cookies else None
        async with served(settings, QuickExecutor()) as studio, visiting(studio) as client:
            client.cookies.update(cookies)
            if not cookies:
                await client.post("/login", data={"username": "ada", "password": password})
                cookies = dict(client.cookies)
            states.append((await client.get("/studio/state")).status_code)

    assert states == [200, 401]


@pytest.mark.parametrize(
    ("values", "setting"),
    [
        ({"studio_oauth_client_secret": None}, "CLAPPER_STUDIO_OAUTH_CLIENT_SECRET"),
        ({"studio_oauth_client_id": ""}, "CLAPPER_STUDIO_OAUTH_CLIENT_ID"),
        ({"studio_users": "book"}, "CLAPPER_STUDIO_HF_ACCOUNTS"),
        (
            {
                "studio_oauth_client_id": "",
                "studio_oauth_client_secret": None,
                "studio_hf_accounts": "ada",
            },
            "CLAPPER_STUDIO_HF_ACCOUNTS",
        ),
    ],
)
async def test_a_half_configured_sign_in_is_refused_at_the_start(
    settings_for: Callable[..., Settings], tmp_path: Path, values: dict[str, Any], setting: str
) -> None:
    book = tmp_path / "users"
    add(book, User.of("ada", "correct horse"))
    given = {key: book if value == "book" else value for key, value in values.items()}

    with pytest.raises(BadConfiguration) as caught:
        SignInMethods.of(settings_for(**given))

    assert caught.value.setting == setting


def test_the_key_of_the_seal_is_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    session = AccountSession("hf", "1", "ada", until=5)
    text = SessionSigner.in_folder(tmp_path).sign(session)

    assert SessionSigner.in_folder(tmp_path).read(text) == session
    assert (tmp_path / "studio.key").stat().st_mode & 0o077 == 0


def test_the_platforms_own_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.settings import load_settings

    for name, value in {
        "OAUTH_CLIENT_ID": "id",
        "OAUTH_CLIENT_SECRET": "swordfish",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": "https://provider.example",
        "SPACE_HOST": "me-clapper.hf.space,studio.example",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()

    assert settings.sign_in.client_id == "id"
    assert "swordfish" not in repr(settings)
    assert settings.sign_in.provider == "https://provider.example"
    assert settings.space.host.startswith("me-clapper")
