"""What a rented machine may say of a failure: which kind it is, and no words of its own.

A sentence is filled with what a failure holds, and sent to people. Texts of a stranger's machine
would be read as ours, so only numbers are taken, and names of model files.
"""

import re
from collections.abc import Mapping
from dataclasses import fields

from core.domain.jobs import Failure
from core.errors import (
    Cancelled,
    ClapperError,
    DeviceLost,
    DiskFull,
    InternalError,
    MediaGone,
    ModelUnavailable,
    OutOfMemory,
    OwnWorkflowFailed,
    RequestUnreadable,
    TimedOut,
    WorkflowRefused,
)
from core.errors.artefacts import ArtefactsUnavailable

_KINDS: dict[str, type[ClapperError]] = {
    kind.code: kind
    for kind in (
        ArtefactsUnavailable,
        Cancelled,
        DeviceLost,
        DiskFull,
        InternalError,
        MediaGone,
        ModelUnavailable,
        OutOfMemory,
        OwnWorkflowFailed,
        RequestUnreadable,
        TimedOut,
        WorkflowRefused,
    )
}
_FILE = re.compile(r"[\w-][\w.-]{0,99}", re.ASCII)
_WORDS = {
    ("artefacts_unavailable", "reason"): "[a-z_]{1,40}",
    ("cancelled", "by"): "shutdown|time_limit",
    ("media_gone", "role"): "[a-z][a-z0-9_]{0,29}",
}


def known_failure(code: str, data: Mapping[str, object]) -> Failure:
    """Return the failure of this kind with what may be taken of ``data``.

    One that nobody has a sentence for, or whose fields are missing, is a defect.
    """
    kind = _KINDS.get(code)
    if kind is None:
        return Failure.of(InternalError())
    taken = {
        item.name: data[item.name]
        for item in fields(kind)  # pyright: ignore[reportArgumentType]  # errors are dataclasses
        if item.name in data and _may_be_taken(code, item.name, item.type, data[item.name])
    }
    try:
        return Failure.of(kind(**taken))
    except TypeError:  # a field is missing
        return Failure.of(InternalError())


def _may_be_taken(code: str, name: str, kind: object, value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return kind is float or (kind is int and isinstance(value, int))
    if not isinstance(value, str) or kind is not str:
        return False
    if (code, name) == ("model_unavailable", "file"):
        return bool(_FILE.fullmatch(value))
    allowed = _WORDS.get((code, name))
    return allowed is not None and re.fullmatch(allowed, value) is not None
