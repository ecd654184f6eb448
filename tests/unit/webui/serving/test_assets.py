import re
from pathlib import Path

import gradio
import httpx
import pytest
from starlette.responses import PlainTextResponse

from webui.serving.assets import Assets, without_player

FOLDER = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
PLAYER = next(path.name for path in FOLDER.glob("hls-*.js"))
STYLE = next(path.name for path in FOLDER.glob("index-*.css"))


async def ask(path: str, *, framed: bool = False, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(Assets(PlainTextResponse("of others"), framed=framed))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
async def test_files_are_what_they_were_and_kept_for_long(accepted: str) -> None:
    answer = await ask(f"/assets/{STYLE}", **{"accept-encoding": accepted})

    assert answer.content == (FOLDER / STYLE).read_bytes()
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")


async def test_the_player_of_streams_gives_the_same_names_and_nothing_else() -> None:
    answer = await ask(f"/assets/{PLAYER}")

    assert len(answer.content) < 200
    given = re.search(r"export\{([^}]*)\}", (FOLDER / PLAYER).read_text("utf-8"))
    assert given is not None
    names = {part.split(" as ")[1] for part in given[1].split(",")}
    assert names == set(re.findall(r"as (\w+)", answer.text))


def test_a_player_that_ends_otherwise_is_left_alone() -> None:
    assert without_player(b"var a=1;") == b""


@pytest.mark.parametrize("weight", ["400", "700"])
async def test_the_fonts_of_the_page_are_there(weight: str) -> None:
    answer = await ask(f"/assets/clapper-sans-{weight}.woff2")

    assert answer.content.startswith(b"wOF2")
    assert answer.headers["content-type"] == "font/woff2"


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/..%2findex.html", "/assets/studio.css/x", "/config"]
)
async def test_all_else_is_left_to_others(path: str) -> None:
    assert (await ask(path)).text == "of others"


async def test_what_speaks_to_a_page_around_is_empty_where_there_is_none() -> None:
    path = "/static/js/iframeResizer.contentWindow.min.js"
    assert (await ask(path)).text == ""
    assert (await ask(path, framed=True)).text == "of others"
