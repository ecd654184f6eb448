"""Signatures for the bucket: a worker asks, and every front with a key answers.

Questions and answers are messages like others: one may be lost, so a question is asked again until
it is answered. A front looks at the rows before it signs.
"""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

import structlog

from core.artefacts.links import LINK_S, BucketPlace, LinkWish
from core.artefacts.names import require_name
from core.artefacts.presign import Signature, UrlSigner
from core.bus.messages import Topic
from core.domain.decoding import UndecodableError, decode, parse_object
from core.runtime.clock import now_ms
from core.runtime.tasks import outcome_of

log = structlog.get_logger(__name__)

AGAIN_S = 1.0  # after a question that nobody answered
AT_ONCE = 32  # questions that a front looks at
_DIGESTS = re.compile(r" |[0-9a-f]{64} [A-Za-z0-9+/]{22}==")
Say: TypeAlias = Callable[[Topic, str], None]
May: TypeAlias = Callable[[LinkWish], Coroutine[Any, Any, bool]]


@dataclass(frozen=True, slots=True)
class _Question:
    id: str
    name: str
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class _Answer:
    id: str
    signature: dict[str, object] | None  # None: it is refused


class BucketLinks(Protocol):
    """This process's part in the questions and answers."""

    def hear(self, topic: str, text: str) -> None:
        """Act upon one message. Never blocks, and never raises for what another version wrote."""
        ...


class NoLinks:
    """Neither asks nor answers; whoever asks it is refused."""

    def hear(self, topic: str, text: str) -> None:
        """Do nothing."""

    async def sign(self, wish: LinkWish) -> Signature | None:
        """Return None: there is nobody to ask."""
        await asyncio.sleep(0)
        del wish


class AskedLinks:
    """Implements :class:`core.artefacts.links.Links` for a node without a key."""

    def __init__(self, say: Say, again_s: float = AGAIN_S) -> None:
        """Take what sends messages, and how long to wait for an answer before asking again."""
        self._say = say
        self._again_s = again_s
        self._waiting: dict[str, asyncio.Future[Signature | None]] = {}

    async def sign(self, wish: LinkWish) -> Signature | None:
        """Ask until a front answers; None where the wish is of no job that this node may have."""
        question = _Question(uuid4().hex[:16], wish.name, wish.sha256, wish.md5)
        answered: asyncio.Future[Signature | None] = asyncio.get_running_loop().create_future()
        self._waiting[question.id] = answered
        asked = 0
        try:
            while not answered.done():
                self._say(Topic.LINK, _text(asdict(question)))
                await asyncio.wait({answered}, timeout=self._again_s)
                asked += 1
                if asked == 10:
                    log.warning("nobody_signs", name=wish.name)
            return answered.result()
        finally:
            del self._waiting[question.id]

    def hear(self, topic: str, text: str) -> None:
        """Take an answer to a question of this node."""
        if topic != Topic.LINKED:
            return
        try:
            answer = decode(_Answer, parse_object(text))
            signed = answer.signature
            signature = None if signed is None else decode(Signature, signed)
        except UndecodableError:
            return
        waiting = self._waiting.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(signature)


class LinkAnswers:
    """Signs for nodes without a key what the rows say that they need."""

    def __init__(self, signer: UrlSigner, place: BucketPlace, may: May, say: Say) -> None:
        """Take the key, where the bucket is, what asks the rows, and what sends messages."""
        self._signer = signer
        self._place = place
        self._may = may
        self._say = say
        self._looking: set[asyncio.Task[None]] = set()

    def hear(self, topic: str, text: str) -> None:
        """Answer a question beside everything else; one too many is asked again."""
        if topic != Topic.LINK or len(self._looking) >= AT_ONCE:
            return
        try:
            question = decode(_Question, parse_object(text))
            wish = LinkWish(require_name(question.name), question.sha256, question.md5)
        except (UndecodableError, ValueError):
            return
        if _DIGESTS.fullmatch(f"{wish.sha256} {wish.md5}"):
            task = asyncio.create_task(self._answer(question.id, wish))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def _answer(self, question_id: str, wish: LinkWish) -> None:
        may = await outcome_of(self._may(wish))
        if not may.ok:  # the rows cannot be read just now
            return
        signed: dict[str, object] | None = None
        if may.value:
            asked = self._place.request(wish)
            signed = asdict(self._signer.signature(asked, LINK_S, now_ms()))
        else:
            log.warning("link_refused", name=wish.name)
        self._say(Topic.LINKED, _text({"id": question_id, "signature": signed}))


def _text(data: dict[str, object]) -> str:
    return json.dumps(data, separators=(",", ":"))
