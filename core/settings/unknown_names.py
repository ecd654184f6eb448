"""Names that look like settings of ours and are none, and tokens under names of other programs."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.settings.area import PREFIX
from core.settings.env_file import ENV_FILE

# What Kubernetes and old Docker links put into the environment beside a service called clapper.
_OF_A_SERVICE = re.compile(r"CLAPPER_(?:SERVICE_(?:HOST|PORT.*)|PORT|PORT_\d+_(?:TCP|UDP).*|NAME)")
# Programs read it, and docs/api.md lets people set it in the shell in which they try the service.
_OF_PROGRAMS = "CLAPPER_TOKEN"
_OTHER_TOKENS = (
    "HUGGINGFACE_TOKEN",
    "HUGGING_FACE_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HUGGINGFACE_HUB_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN",
    "HF_API_TOKEN",
    "HF_API_KEY",
    "HF_HUB_TOKEN",
)


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name that nothing reads; ``nearest`` is what may have been meant, or empty."""

    name: str
    nearest: str


def unknown_among(names: Iterable[str], known: Iterable[str]) -> list[UnknownName]:
    """Return which of ``names`` have our prefix and are no setting, in their order."""
    ours = {*known, ENV_FILE}
    found: list[UnknownName] = []
    for name in dict.fromkeys(name.upper() for name in names):
        if name.startswith(PREFIX) and name not in ours and not _OF_A_SERVICE.fullmatch(name):
            near = difflib.get_close_matches(name, sorted(ours), n=1, cutoff=0.75)
            found.append(UnknownName(name, near[0] if near else ""))
    return found


def environment() -> Mapping[str, str]:
    """Return the environment of the process, without what is there for programs that ask us."""
    return {name: value for name, value in os.environ.items() if name.upper() != _OF_PROGRAMS}


def foreign_tokens() -> list[str]:
    """Return names under which a token of Hugging Face is set that we do not read."""
    return [name for name in _OTHER_TOKENS if environment().get(name, "").strip()]
