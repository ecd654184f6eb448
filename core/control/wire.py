"""How commands and answers travel: a JSON object a line, versioned, of bounded length.

A request is ``{"v": 1, "verb": …, "args": {…}}``. Its answer is any number of ``{"item": {…}}`` and
then ``{"end": true}`` or ``{"error": {"code": …, "data": {…}}}``. The words for a code are chosen
by who reads it.
"""

import asyncio
import json
from functools import cache
from types import UnionType
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from core.control.commands import STOP, VERBS, Command, Verb, verb_of
from core.errors import ArgumentTooLong, ClapperError, NotAChoice
from core.errors.setup import ControlBroken, ControlVersion

PROTOCOL = 1
MOST_BYTES = 2**20  # several arguments as long as Linux takes them, 128 KiB each


@cache
def _adapter(kind: type[Any] | UnionType) -> TypeAdapter[Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(cast("type[Any]", kind))
    return adapter


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def request_line(command: Command, token: str = "") -> bytes:
    """Write ``command``; ``token`` is for connections that say nothing about who asks."""
    args = _adapter(type(command)).dump_python(command, mode="json")
    data: dict[str, Any] = {"v": PROTOCOL, "verb": verb_of(command), "args": args}
    return _line({**data, "token": token} if token else data)


def stop_line() -> bytes:
    """Write what ends a command that lasts."""
    return _line({"v": PROTOCOL, "verb": STOP})


def item_line(verb: Verb, item: object) -> bytes:
    """Write one record of an answer."""
    return _line({"item": _adapter(verb.answers).dump_python(item, mode="json")})


def end_line() -> bytes:
    """Write the end of an answer."""
    return _line({"end": True})


def error_line(error: ClapperError) -> bytes:
    """Write why there is no answer, or no more of it."""
    return _line({"error": {"code": error.code, "data": error.data()}})


async def read_line(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Read the next object; None where the other side ended.

    Raises:
        ControlBroken: it is longer than a line may be, or no object.
    """
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise ControlBroken("cut") from None
        return None
    except asyncio.LimitOverrunError:
        raise ControlBroken("too_long") from None
    try:
        data: object = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise ControlBroken("not_json") from None
    if not isinstance(data, dict):
        raise ControlBroken("not_an_object")
    return cast("dict[str, Any]", data)


def parse_request(data: dict[str, Any]) -> tuple[Verb, Command]:
    """Read the command of a request.

    Raises:
        ControlVersion: another version of this protocol.
        NotAChoice: no such verb.
        ArgumentTooLong: one of its texts.
        ControlBroken: its arguments are not those of the verb.
    """
    version = data.get("v")
    if version != PROTOCOL:
        raise ControlVersion(str(version)[:20], str(PROTOCOL))
    name = data.get("verb")
    if not isinstance(name, str) or name not in VERBS:
        raise NotAChoice("verb", str(name)[:40], ", ".join(VERBS))
    verb = VERBS[name]
    return verb, cast("Command", _checked(_adapter(verb.asks), data.get("args", {})))


def require_valid(command: Command) -> None:
    """See that a service takes ``command``; one that works without a service asks it too.

    Raises:
        ArgumentTooLong: one of its texts.
        ControlBroken: another of its values cannot be.
    """
    adapter = _adapter(type(command))
    _checked(adapter, adapter.dump_python(command, mode="json"))


def _checked(adapter: TypeAdapter[Any], args: object) -> Any:  # noqa: ANN401  # a command
    """Read the arguments of a command.

    Raises:
        ArgumentTooLong: one of its texts.
        ControlBroken: they are not those of the verb.
    """
    try:
        return adapter.validate_python(args)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "string_too_long":
                limit = int(detail.get("ctx", {})["max_length"])
                raise ArgumentTooLong(str(detail["input"])[:40], limit) from None
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ControlBroken(f"args.{where}"[:80]) from None


def parse_item(verb: Verb, data: dict[str, Any]) -> Any:  # noqa: ANN401  # a record of the verb
    """Read one record of an answer; None at its end.

    Raises:
        ClapperError: the service answered with it.
        ControlBroken: the service answers something else.
    """
    if "error" in data:
        error = _error(data["error"])
        raise error
    if "end" in data:
        return None
    try:
        return _adapter(verb.answers).validate_python(data.get("item"))
    except ValidationError:
        raise ControlBroken("answer") from None


def _error(data: Any) -> ClapperError:  # noqa: ANN401  # JSON
    try:
        return _kinds()[data["code"]](**data["data"])
    except (KeyError, TypeError):
        return ControlBroken("answer")


def _kinds() -> dict[str, type[ClapperError]]:
    found: dict[str, type[ClapperError]] = {}
    waiting: list[type[ClapperError]] = [ClapperError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found
