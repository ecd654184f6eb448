"""Parse what people type after a command: the prompt, then ``--name value`` options."""

import re
import shlex
from dataclasses import dataclass, fields

from core.domain.limits import RequestLimits
from core.domain.options import Options
from core.domain.parsing import parse_number, parse_seed, parse_whole_number
from core.errors import NotAChoice

_SIZE = re.compile(r"(\d{1,5})\s*[x×X*]\s*(\d{1,5})")  # people type × too
_WORDS = {"preset", "aspect", "camera", "negative"}
NAMES = ("seconds", "preset", "size", "aspect", "width", "height", "fps", "seed", "camera")
_SEPARATOR = re.compile(r"(?:^|\s)(?:--|—|–)(?=[a-zA-Z])")  # phones turn -- into a dash


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command, and the text after it."""

    command: str
    rest: str


def command_of(text: str | None, bot: str) -> TypedCommand | None:
    """Parse the command that ``text`` begins with; None for other text or another bot's command."""
    found = re.match(r"/(\w{1,32})(?:@(\w+))?(?:\s+|$)(.*)", text or "", re.DOTALL)
    if found is None or (found[2] and found[2].lower() != bot.lower()):
        return None
    return TypedCommand(found[1].lower(), found[3].strip())


def options_of(rest: str, limits: RequestLimits) -> Options:
    """Parse the prompt and options in ``rest``; refusals name the ``limits``.

    Raises:
        NotAChoice: an unknown option, or a malformed size.
        NotANumber: a length, side or frame rate that is not a number.
        SeedNotANumber: a seed that is not a whole number.
    """
    prompt, *parts = _SEPARATOR.split(rest)
    values: dict[str, str] = {}
    for part in parts:
        name, _, value = part.strip().partition(" ")
        name, _, attached = name.partition("=")
        name = name.lower().replace("-", "_")
        if name not in {*NAMES, "negative"}:
            raise NotAChoice("option", f"--{name}"[:40], ", ".join(f"--{n}" for n in NAMES))
        values[name] = _unquoted(attached or value)
    size = values.pop("size", None)
    if size is not None:
        found = _SIZE.fullmatch(size)
        if found is None:
            raise NotAChoice("size", size[:40], "1280x704, 768x512, …")
        values |= {"width": found[1], "height": found[2]}
    return _filled(prompt.strip(), values, limits)


def _filled(prompt: str, values: dict[str, str], limits: RequestLimits) -> Options:
    data: dict[str, object] = {"prompt": prompt}
    for name, value in values.items():
        if name in _WORDS:
            key = "negative_prompt" if name == "negative" else name
            data[key] = value if name == "negative" else value.lower()
        elif name == "seed":
            data[name] = parse_seed(value)
        else:
            read = parse_number if name == "seconds" else parse_whole_number
            data[name] = read(name, value.strip().lower().removesuffix("s"), limits)
    known = {item.name for item in fields(Options)}
    return Options(**{k: v for k, v in data.items() if k in known})  # pyright: ignore[reportArgumentType]  # typed above


def _unquoted(value: str) -> str:
    value = value.strip()
    if value[:1] in {'"', "'"}:
        try:
            return " ".join(shlex.split(value))
        except ValueError:
            return value.strip("\"'")
    return value
