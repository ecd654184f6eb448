"""Tell whether two submissions under one idempotency key ask for the same.

A fingerprint is made of what was typed and sent, before seeds are drawn and files re-encoded, so
that a repeated submission has the same one. Either of its parts may be empty: not known.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

from core.domain.modes import Mode
from core.domain.options import OPTIONS, Options
from core.domain.requests import Request, to_json


def fingerprint_of(
    mode: Mode, options: Options, contents: Mapping[str, str] | None, told_at: str = ""
) -> str:
    """Make the fingerprint of a submission.

    Args:
        mode: which of the modes.
        options: as typed.
        contents: hex digests of the files as they were sent, by role; None where one of them
            cannot be read any more, and files are not compared then.
        told_at: where a program wants to be told of the end; empty: nowhere.
    """
    typed = sorted(
        (name, _plain(value))
        for name, value in options.values().items()
        if value != OPTIONS[name].blank
    )
    files = "" if contents is None else _digest(sorted(contents.items()))
    told = [("told_at", told_at)] if told_at else []
    return f"{_digest([('mode', mode.value), *typed, *told])}.{files}"


def fingerprint_of_request(request: Request) -> str:
    """Make the fingerprint of a request that nobody typed: all of it, its seed as well."""
    return f"{_digest([('request', json.dumps(to_json(request), sort_keys=True))])}."


def fingerprint_of_action(action: str, job_id: str) -> str:
    """Make the fingerprint of a button that was pressed under a job."""
    return f"{_digest([('action', action), ('job', job_id)])}."


def is_same(one: str, other: str) -> bool:
    """Tell whether two fingerprints may be of one request; what is not known differs in nothing."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return all(a == b or not a or not b for a, b in pairs)


def _parts(fingerprint: str) -> tuple[str, str]:
    asked, _, files = fingerprint.partition(".")
    return asked, files


def _plain(value: object) -> str:
    """Write a value so that 3 and 3.0 are the same."""
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _digest(pairs: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(list(pairs)).encode()).hexdigest()[:32]
