"""One list of files: what dialogs offer fits what is accepted, and what a name tells."""

import pytest

from core.domain.file_types import ACCEPTED, likely_kinds, offered_types
from core.domain.media import MediaKind


@pytest.mark.parametrize("kind", list(MediaKind))
def test_dialogs_offer_every_format_that_is_named_to_people(kind: MediaKind) -> None:
    offered = offered_types(kind)

    for name in ACCEPTED[kind].split(", "):
        assert f".{name.lower()}" in offered
    assert f"{kind}/*" in offered


@pytest.mark.parametrize("kind", list(MediaKind))
@pytest.mark.parametrize("suffix", [".tiff", ".svg", ".psd", ".jxl", ".cr2", ".midi", ".mxf"])
def test_dialogs_do_not_offer_what_is_always_refused(kind: MediaKind, suffix: str) -> None:
    assert suffix not in offered_types(kind)


@pytest.mark.parametrize("kind", list(MediaKind))
def test_a_file_of_an_offered_name_is_taken_for_that_slot(kind: MediaKind) -> None:
    suffixes = [text for text in offered_types(kind) if text.startswith(".")]

    named = {suffix for suffix in suffixes if kind in likely_kinds(None, f"a{suffix}")}
    # chats send a GIF and a sticker as a film; its bytes tell
    assert set(suffixes) - named <= {".mp4", ".webm"}
