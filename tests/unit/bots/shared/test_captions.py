"""A caption quotes what a clip was asked for with, within the platform's limit."""

from dataclasses import replace

import pytest

import bots.discord.rendering
import bots.telegram.rendering
from bots.shared.captions import Telling, caption
from bots.shared.post_links import telegram_link
from bots.telegram.address import display_name
from core.domain.followups import Action
from core.domain.jobs import Job, JobState, ReplyTo
from core.domain.lineage import JobOrigin
from core.domain.modes import Mode
from core.domain.people import Requester
from core.service.public_clips import ClipCaption
from tests.support.option_values import request_of

DISCORD = bots.discord.rendering.texts_for("en")
TELEGRAM = bots.telegram.rendering.texts_for("en")
FRONTS = [(DISCORD, 2000), (TELEGRAM, 1024)]
EVIL = "`<b>*x*</b>` @everyone <@1> </t2v:1> https://x.example [a](https://y.example) &lt; ||z||"


def job(prompt: str) -> Job:
    return Job(
        "0" * 32, Requester("discord", "1"), request_of(Mode.T2V, prompt=prompt), ReplyTo("t", {}),
        JobState.SUCCEEDED, 1, 1, None, 1,
    )  # fmt: skip


def written(texts, prompt: str, limit: int, maker: str = "", **facts: str) -> str:
    return caption(texts, job(prompt), Telling(ClipCaption(prompt, **facts), maker), limit)


@pytest.mark.parametrize(("texts", "limit"), FRONTS)
@pytest.mark.parametrize("letter", ["x", "é", "语", "😀", "<", "&", "`"])
def test_a_caption_is_as_long_as_the_platform_takes_by_its_own_count(
    texts, limit: int, letter: str
) -> None:
    for length in (1, limit // 2, limit, 2000):
        shown = texts.markup.shown(written(texts, letter * length, limit))
        assert texts.markup.units(shown) <= limit
        assert "AI-generated" in shown
    assert texts.markup.units(shown) >= limit - 3  # no more is cut than has to be


def test_telegram_counts_in_utf_16_and_discord_in_code_points() -> None:
    assert (TELEGRAM.markup.units("😀"), DISCORD.markup.units("😀")) == (2, 1)


def test_nothing_that_a_person_wrote_is_markup_or_a_mention() -> None:
    on_discord = written(DISCORD, EVIL, 2000).split("\n")[0]
    on_telegram = written(TELEGRAM, EVIL, 1024).split("\n")[0]

    assert on_discord[0] == on_discord[-1] == "`"  # one span of code: nothing in it is read
    assert on_discord.count("`") == 2
    inner = on_telegram.removeprefix("<code>").removesuffix("</code>")
    assert "<" not in inner
    assert ">" not in inner
    assert "&amp;lt;" in inner


@pytest.mark.parametrize(("texts", "limit"), FRONTS)
def test_line_breaks_of_a_prompt_make_no_lines_of_the_caption(texts, limit: int) -> None:
    one, several = (written(texts, words, limit) for words in ("a b", "a\n\nb"))

    assert one == several


@pytest.mark.parametrize(("texts", "limit"), FRONTS)
def test_a_caption_names_the_maker_and_what_it_was_made_from(texts, limit: int) -> None:
    remix = replace(job("a kite"), origin=JobOrigin(Action.REMIX, "f" * 32))
    told = caption(texts, remix, Telling(ClipCaption("a kite", "https://e/1"), "Ann"), limit)
    gone = caption(texts, remix, Telling(ClipCaption("a kite"), "Ann"), limit)

    assert "by Ann · remix of" in told
    assert "https://e/1" in told
    assert "by Ann · a remix" in gone
    assert "f" * 8 not in told + gone


def test_only_messages_of_supergroups_have_an_address() -> None:
    assert telegram_link("-1001234567890/42") == "https://t.me/c/1234567890/42"
    assert telegram_link("-77/42") == ""
    assert telegram_link("501/42") == ""


class Named:
    def __init__(self, full_name: str) -> None:
        self.full_name = full_name


def test_a_name_is_a_name_and_no_link() -> None:
    assert display_name(Named("Dr. Ann\nWho")) == "Dr. Ann Who"
    assert display_name(Named("@durov t.me/x #a")) == "durov t me x a"
    assert display_name(Named("\u202eevil" + "x" * 100)) == "evil" + "x" * 60
