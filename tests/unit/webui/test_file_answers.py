"""Files of clips: whole, in parts, or not again; and what is deleted meanwhile is no defect."""

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from core.errors import NothingToFetch
from core.errors.programs import RangeBeyond
from webui.file_answers import file_answer

CONTENT = bytes(range(100))
LONG_AGO, LATER = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
NO_DATES = ["", "tomorrow", "Mon, 01 Jan 2024 00:00:00 +99999999999999", "1767225600",
            "Mon, 01 Jan 2100 00:00:00", "Mon, 01 Jan 0001 00:00:00 +2359"]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "clip.mp4"
    made.write_bytes(CONTENT)
    return made


async def answered(file: Path, **headers: str) -> Response:
    sent = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    request = Request({"type": "http", "headers": sent, "method": "GET"})
    return await file_answer(request, file, "video/mp4", {})


async def sent(file: Path, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Return the status, the body and the headers that go out."""
    answer, out = await answered(file, **headers), list[Any]()

    async def send(message: Any) -> None:
        out.append(message)

    async def receive() -> Any:
        raise NotImplementedError

    raw = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    scope = {"type": "http", "method": "GET", "headers": raw, "asgi": {"spec_version": "2.4"}}
    await answer(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in out[0]["headers"]}
    return out[0]["status"], b"".join(one.get("body", b"") for one in out[1:]), told


async def test_a_file_that_has_just_gone_is_nothing_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(NothingToFetch):
        await answered(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("bytes=4-7", CONTENT[4:8]),
        ("bytes=90-500", CONTENT[90:]),
        ("bytes=-5", CONTENT[-5:]),
        ("bytes=-500", CONTENT),
        ("bytes=10-11,100-", CONTENT[10:12]),
        ("bytes=-0,10-11", CONTENT[10:12]),
        ("bytes=0-9,5-19", CONTENT[:20]),
    ],
)
async def test_the_parts_that_are_there_are_given(file: Path, wanted: str, given: bytes) -> None:
    status, body, headers = await sent(file, range=wanted)

    assert (status, body) == (206, given)
    assert headers["content-range"].endswith("/100")


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=-0", "bytes=100-,200-300"])
@pytest.mark.parametrize("held", [True, False])
async def test_parts_of_which_none_is_there_are_refused(
    file: Path, wanted: str, held: bool
) -> None:
    tag = (await answered(file)).headers["etag"]

    with pytest.raises(RangeBeyond) as refused:
        await answered(file, range=wanted, **({"if_range": tag} if held else {}))

    assert refused.value.content_range == "bytes */100"


@pytest.mark.parametrize("wanted", ["bytes=", "bytes=5-4", "lines=1-2", "bytes=a-", "5-6"])
async def test_a_wish_in_no_known_form_gets_the_whole_file(file: Path, wanted: str) -> None:
    assert (await sent(file, range=wanted))[:2] == (200, CONTENT)


@pytest.mark.parametrize("held", ['"another"', "W/{tag}", LONG_AGO, LATER])
async def test_a_part_of_another_file_is_none_of_this_one(file: Path, held: str) -> None:
    tag = (await answered(file)).headers["etag"]

    given = await sent(file, range="bytes=400-", if_range=held.format(tag=tag))

    assert given[:2] == (200, CONTENT)


async def test_what_is_held_is_not_sent_again(file: Path) -> None:
    whole = await answered(file)
    tag, changed = whole.headers["etag"], whole.headers["last-modified"]

    for held in ({"if_none_match": f'"a", W/{tag}'}, {"if_modified_since": changed},
                 {"if_modified_since": LATER}, {"if_none_match": "*"}):  # fmt: skip
        assert (await answered(file, **held)).status_code == 304
    for other in ({"if_none_match": '"a"'}, {"if_modified_since": LONG_AGO},
                  {"if_none_match": '"a"', "if_modified_since": LATER}):  # fmt: skip
        assert (await answered(file, **other)).status_code == 200


@pytest.mark.parametrize("date", NO_DATES)
async def test_what_is_no_date_says_nothing(file: Path, date: str) -> None:
    assert (await answered(file, if_modified_since=date)).status_code == 200
