import json
from typing import Any

import pytest

from bots.telegram.readable_updates import readable_answer

WHO = {"id": 501, "is_bot": False, "first_name": "Ann"}
MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 501, "type": "private"}, "from": WHO}
GOOD: dict[str, Any] = {"update_id": 7, "message": {**MESSAGE, "text": "a kite"}}
ODD: dict[str, Any] = {"update_id": 6, "message": {**MESSAGE, "poll": {"id": "1"}}}


def answer(*updates: Any) -> bytes:
    return json.dumps({"ok": True, "result": list(updates)}).encode()


def test_an_update_that_cannot_be_read_keeps_its_number_alone() -> None:
    assert json.loads(readable_answer(answer(ODD, GOOD)))["result"] == [{"update_id": 6}, GOOD]


@pytest.mark.parametrize(
    "payload",
    [answer(GOOD), answer(), b'{"ok": false, "error_code": 409}', b"<html>", b"[]", b"7"],
)
def test_everything_else_is_left_as_it_is(payload: bytes) -> None:
    assert readable_answer(payload) == payload
