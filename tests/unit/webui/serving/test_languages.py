import asyncio

import pytest

from core.i18n.messages import language_of, languages, say, speaking
from webui.serving.languages import InLanguage, preferred


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.4", "de"),
        ("en;q=0.3, DE-de;q=0.4", "de"),
        ("de;q=0,en", "en"),
        ("de;q=0", "en"),
        ("*", "en"),
        ("tlh,*;q=0.5", "en"),
        ("../../etc", "en"),
        ("de;q=x", "en"),
        ("," * 5000 + "de", "en"),
    ],
)
def test_the_best_of_our_languages_is_chosen(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@pytest.mark.parametrize("language", languages())
def test_every_language_can_be_asked_for_by_its_own_name(language: str) -> None:
    assert preferred(f"{language}-XX;q=0.7") == language


def test_a_named_locale_counts_before_the_readers() -> None:
    with speaking("de"):
        assert say("studio_queue", locale="en") == say("studio_queue", locale="en-US")
        assert say("studio_queue") == say("studio_queue", locale="de")
    assert language_of(None) == "en"


async def test_the_readers_language_holds_on_another_loop_and_for_nobody_else() -> None:
    home = asyncio.get_running_loop()

    async def heard() -> str:
        await asyncio.sleep(0)
        return language_of(None)

    async def asked(language: str) -> str:
        with speaking(language):
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(heard(), home))

    german, english = await asyncio.to_thread(lambda: asyncio.run(_both(asked("de"), asked("en"))))
    assert (german, english, await heard()) == ("de", "en", "en")


async def _both(first, second):  # type: ignore[no-untyped-def]
    return await asyncio.gather(first, second)


SUMMER, WINTER = (
    1_720_000_000_000,
    1_700_000_000_000,
)  # 2024-07-03 09:46:40, 2023-11-14 22:13:20 UTC
ROW = {"left": 1, "limit": 1}


async def told(moment: int, **headers: str) -> str:
    """Return what a page with ``headers`` is told of a moment."""
    said: list[str] = []

    async def app(*_: object) -> None:
        said.append(say("studio_quota", {**ROW, "resets": moment}))

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def nothing(*_: object) -> None:
        pass

    await InLanguage(app)({"type": "http", "headers": named}, nothing, nothing)
    return said[0].split("again ")[-1].split("voll ")[-1]


@pytest.mark.parametrize(
    ("zone", "moment", "shown"),
    [
        ("Europe/Berlin", SUMMER, "2024-07-03 11:46"),
        ("Europe/Berlin", WINTER, "2023-11-14 23:13"),
        ("Asia/Kolkata", WINTER, "2023-11-15 03:43"),
        ("America/St_Johns", SUMMER, "2024-07-03 07:16"),
        ("UTC", SUMMER, "2024-07-03 09:46"),
        ("", SUMMER, "2024-07-03 09:46 UTC"),
        ("Mars/Olympus_Mons", SUMMER, "2024-07-03 09:46 UTC"),
        ("../../../etc/passwd", SUMMER, "2024-07-03 09:46 UTC"),
        ("/etc/localtime", SUMMER, "2024-07-03 09:46 UTC"),
        ("Europe", SUMMER, "2024-07-03 09:46 UTC"),
        ("x" * 5000, SUMMER, "2024-07-03 09:46 UTC"),
    ],
)
async def test_times_are_those_of_the_readers_zone(zone: str, moment: int, shown: str) -> None:
    assert await told(moment, x_clapper_zone=zone) == shown


async def test_times_are_written_in_the_readers_language_too() -> None:
    german = await told(WINTER, x_clapper_zone="Europe/Berlin", accept_language="de")
    assert german == "14.11.2023, 23:13"
    assert "UTC" in await told(WINTER, accept_language="de")
