"""What a finished clip says about itself, and how to read that back.

The ``comment`` of the MP4 is JSON, for machines; its ``description`` is a sentence, for people.
Reading is plain Python over the file's boxes, bounded and without any codec, so it may be done
with a file that somebody sent.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Self

from core.domain.decoding import decode
from core.domain.modes import Mode
from core.domain.options import KEPT
from core.domain.requests import Request, Sampling, sampling_from_json, sampling_to_json
from core.domain.words import StyleWords
from core.errors import ClapperError
from core.i18n.messages import say

FORMAT = 1  # of the JSON; a reader ignores files of a newer one
# IPTC's vocabulary, read by platforms that label synthetic media
AI_MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PROGRAM_MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_LONGEST = 64_000  # bytes of JSON that are read
_MOST_BOXES = 4096  # in one level of the file
_WAY = (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")
_HEADER = {b"meta": 4, b"data": 8}  # bytes before the content of these boxes


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a clip comes from: enough to label it and to make it again."""

    job_id: str
    mode: Mode
    sampling: Sampling
    prompt: str = ""  # as typed; empty unless the operator allows it in files
    notes: Mapping[str, str] = field(default_factory=dict[str, str])  # e.g. {"executor": "comfy"}
    style: StyleWords | None = None  # as the prompt

    @classmethod
    def of(cls, job_id: str, request: Request, *, with_prompt: bool) -> Self:
        """Return what the clip of ``request`` may say; a person's words only ``with_prompt``."""
        if with_prompt:
            asked = (request.mode, request.sampling, request.prompt)
            return cls(job_id, *asked, style=request.style)
        words = {option.name: option.blank for option in KEPT if option.is_private}
        return cls(job_id, request.mode, replace(request.sampling, **words))

    def noting(self, notes: Mapping[str, str]) -> Self:
        """Return this with the executor's own notes added."""
        return replace(self, notes={**self.notes, **notes})

    @property
    def ai_made(self) -> bool:
        """Tell whether a model made the pictures; the animatic is drawn by a program."""
        return self.notes.get("executor") != "draft"

    @property
    def source_type(self) -> str:
        """Return IPTC's word for how the pictures were made."""
        return AI_MADE if self.ai_made else PROGRAM_MADE

    def tags(self) -> dict[str, str]:
        """Return the metadata of the MP4 by ffmpeg's names."""
        facts = {
            "job_id": self.job_id,
            "mode": self.mode.value,
            "preset": self.sampling.preset.value,
            "size": str(self.sampling.size),
            "seed": self.sampling.seed,
            "executor": self.notes.get("executor", ""),
        }
        kind = "ai" if self.ai_made else "draft"
        return {
            "title": say(f"provenance_title_{kind}"),
            "description": say(f"provenance_{kind}", facts),
            "comment": self.to_json(),
        }

    def to_json(self) -> str:
        """Return the machine-readable form, on one line."""
        return json.dumps(
            {
                "clapper": FORMAT,
                "ai_generated": self.ai_made,
                "digital_source_type": self.source_type,
                "job_id": self.job_id,
                "mode": self.mode,
                "prompt": self.prompt,
                "sampling": sampling_to_json(self.sampling),
                "notes": dict(self.notes),
                **({} if self.style is None else {"style": asdict(self.style)}),
            }
        )


def read_provenance(path: Path) -> Provenance | None:
    """Read what the MP4 at ``path`` says of itself; None where it is not one of ours.

    Args:
        path: any file, trusted or not; at most 64 kB of text are read from it.

    Returns:
        The values, checked as those of a request are. They are a claim of the file, no proof.
    """
    with path.open("rb") as file:
        comment = _comment(file)
    try:
        data: dict[str, Any] = json.loads(comment or b"{}")  # of a stranger: no stored data
        if data.get("clapper") != FORMAT:
            return None
        return Provenance(
            job_id=str(data["job_id"]),
            mode=Mode(data["mode"]),
            sampling=sampling_from_json(data["sampling"]),
            prompt=str(data["prompt"]),
            style=decode(StyleWords, data["style"]) if "style" in data else None,
            notes={str(key): str(value) for key, value in dict(data["notes"]).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ClapperError):
        return None


def _comment(file: BinaryIO) -> bytes | None:
    start, end = 0, file.seek(0, 2)
    for name in _WAY:
        found = _box(file, name, start, end)
        if found is None:
            return None
        start, end = found[0] + _HEADER.get(name, 0), found[1]
    file.seek(start)
    return file.read(min(max(0, end - start), _LONGEST))


def _box(file: BinaryIO, name: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Find where the content of the first box ``name`` between two offsets begins and ends."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return None
        file.seek(start)
        head = file.read(16)
        size, body = int.from_bytes(head[:4]), start + 8
        if size == 1:  # the real size follows, 64 bits
            size, body = int.from_bytes(head[8:16]), start + 16
        stop = end if size == 0 else start + size
        if stop < body or stop > end:
            return None
        if head[4:8] == name:
            return body, stop
        start = stop
    return None
