"""What chats tell of a job: every option to its owner, no words of a person to anybody else."""

from collections.abc import Callable

import pytest

import bots.discord.rendering
import bots.telegram.rendering
from bots.shared.captions import alt_text
from bots.shared.texts import Texts
from core.domain.jobs import Forecast, Job, JobState, ReplyTo, Ticket
from core.domain.modes import MODES, Mode
from core.domain.options import Option, OptionKind, options_in
from core.domain.people import Requester
from core.domain.progress import Stage, Working
from core.domain.requests import Request
from core.i18n.messages import languages, name
from core.i18n.option_words import mode_summary, option_label
from tests.support.option_values import OF_A_JOB, case_name, request_of, something

CHATS = [bots.discord.rendering, bots.telegram.rendering]
TEXTS = [chat.texts_for for chat in CHATS]
LIMITS = [(bots.discord.rendering.texts_for, 2000), (bots.telegram.rendering.texts_for, 4096)]


def job(request: Request) -> Job:
    return Job(
        "0" * 32, Requester("discord", "1"), request, ReplyTo("t", {}), JobState.SUCCEEDED, 1, 1,
        None, 1,
    )  # fmt: skip


@pytest.mark.parametrize("texts_for", TEXTS)
@pytest.mark.parametrize(("mode", "option"), OF_A_JOB, ids=case_name)
def test_details_tell_every_option(
    mode: Mode, option: Option, texts_for: Callable[[str], Texts]
) -> None:
    request = request_of(mode, **{option.name: something(option)})
    measures = [str(request.sampling.size), str(request.sampling.frames), str(request.sampling.fps)]
    if option.unit or option.name == "aspect":
        told = measures
    elif option.kind is OptionKind.CHOICE:
        told = [f"{option_label(option, 'de')}: {name(something(option), 'de')}"]
    else:
        told = [f"{option_label(option, 'de')}: {something(option)}"]

    details = texts_for("de").details(job(request))

    assert [part for part in told if part not in details] == [], option.name


def test_details_begin_with_what_is_short_so_that_a_long_text_cuts_nothing_else() -> None:
    request = request_of(Mode.T2V, prompt="x" * 2000, negative_prompt="y" * 2000)
    texts = bots.discord.rendering.texts_for("en")

    details = bots.discord.rendering.clip_text(texts.details(job(request)))

    assert "Job: 000" in details
    assert "Seed: 7" in details


def test_what_a_person_wrote_is_escaped_in_details() -> None:
    request = request_of(Mode.T2V, prompt="<b>a_b</b>", negative_prompt="*c*")

    assert r"\*c\*" in bots.discord.rendering.texts_for("en").details(job(request))
    assert "&lt;b&gt;" in bots.telegram.rendering.texts_for("en").details(job(request))


@pytest.mark.parametrize("texts_for", TEXTS)
@pytest.mark.parametrize("mode", MODES)
def test_what_a_chat_shows_to_all_has_no_private_words(
    mode: Mode, texts_for: Callable[[str], Texts]
) -> None:
    private = {o.name: something(o) for o in options_in(mode) if o.is_private}
    made = job(request_of(mode, **private))
    texts = texts_for("en")
    ticket = Ticket(made.id, 1, Forecast(2, 5.0, 9.0), duplicate=False)

    shown = "\n".join([
        texts.result(made),
        texts.ticket(made, ticket),
        texts.progress(made, Working(Stage.STAGE1, 1, 2, 0.5)),
        texts.admin_jobs([made]),
    ])  # fmt: skip

    for option, words in private.items():
        assert words not in shown, option
        # the description of a picture is for who cannot see it: it tells the prompt, nothing else
        told = alt_text(texts, made, made.request.prompt, 1000)
        assert (words in told) is (option == "prompt"), option


@pytest.mark.parametrize(("texts_for", "limit"), LIMITS)
@pytest.mark.parametrize("language", languages())
def test_help_has_a_line_for_every_mode_with_its_files(
    language: str, texts_for: Callable[[str], Texts], limit: int
) -> None:
    texts = texts_for(language)

    told = texts.help()

    assert len(told) <= limit
    for mode, spec in MODES.items():
        command = texts.markup.command(mode, language)
        line = next(line for line in told.splitlines() if line.startswith(f"{command} "))
        assert mode_summary(mode, language) in line
        for slot in spec.slots:
            called = (texts.markup.option(slot.role, language), name(slot.role, language))
            assert called[texts.markup.files_apart] in line.partition(":")[0], slot.role
