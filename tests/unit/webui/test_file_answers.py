"""A file that is deleted at the moment in which it is asked for is no defect of the server."""

from pathlib import Path

import pytest
from starlette.requests import Request

from core.errors import NothingToFetch
from webui.file_answers import file_answer


async def test_a_file_that_has_just_gone_is_nothing_to_fetch(tmp_path: Path) -> None:
    request = Request({"type": "http", "headers": [], "method": "GET"})

    with pytest.raises(NothingToFetch):
        await file_answer(request, tmp_path / "gone.mp4", "video/mp4", {})
