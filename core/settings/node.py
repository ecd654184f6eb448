"""What this process does among several at the same rows."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from core.domain.nodes import DEFAULT_POOL
from core.settings.area import Area, ReadFrom
from core.settings.problems import SettingRefused

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _plain_name(text: str) -> str:
    """Return ``text``, which commands, messages and metrics name.

    Raises:
        SettingRefused: it is no plain name.
    """
    if text and not _NAME.fullmatch(text):
        raise SettingRefused("setting_no_name")
    return text


class NodeSettings(Area):
    """A node: a process of several that share a PostgreSQL."""

    # shown to people; empty: the host's name and the beginning of the node's id
    name: Annotated[str, AfterValidator(_plain_name), ReadFrom("CLAPPER_NODE")] = ""
    # of equal devices; a job is bound to a pool
    pool: Annotated[str, AfterValidator(_plain_name)] = DEFAULT_POOL
    # False: `clapper serve` makes no clips itself, `clapper worker` on other machines does
    worker: bool = True
    # a worker that has to stop finishes what takes less, and hands the rest over; clouds that take
    # machines back say so 30 s before
    notice_s: float = Field(default=25, ge=0, le=3600)
