"""What a reader sees is in their language, also where a platform escapes markup."""

import pytest

from bots.discord.rendering import texts_for
from core.domain.presets import Camera
from core.i18n.messages import languages, name, sentences

LIMITS = {"d_": 100, "o_": 100, "m_": 32, "c_": 256, "t_placeholder_hint": 64}


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_escaping_leaves_identifiers_to_become_words(locale: str) -> None:
    text = texts_for(locale).say("admin_job", **_JOB | {"mode": Camera.DOLLY_IN})

    assert name("dolly_in", locale) in text


def test_what_people_typed_is_escaped() -> None:
    assert r"a\_b" in texts_for("de").say("admin_job", **_JOB | {"who": "a_b"})


@pytest.mark.parametrize("language", languages())
def test_words_fit_the_platforms_limits(language: str) -> None:
    long = [
        code
        for code, text in sentences(language).items()
        for start, limit in LIMITS.items()
        if code.startswith(start) and len(text) > limit
    ]

    assert long == []


@pytest.mark.parametrize("language", languages())
def test_labels_are_short(language: str) -> None:
    words = sentences(language).items()

    assert [code for code, text in words if code.endswith("_label") and len(text) > 40] == []


_JOB: dict[str, object] = {"position": 1, "mode": "t2v", "who": "me", "state": "held", "job": "1"}
