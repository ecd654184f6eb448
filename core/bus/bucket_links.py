"""Signatures for the bucket: a worker asks, and every front with a key answers.

Questions and answers are messages like others: one may be lost, so a question is asked again until
it is answered, then by a row too. A front looks at the rows before it signs.
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
from core.runtime.tasks import outcome_of, wait_event

log = structlog.get_logger(__name__)

AGAIN_S = 1.0  # after a question that nobody answered
LOOK_S = 1.0  # between two looks of a front at questions that no message brought
FORGET_S = 2.0
AT_ONCE = 32  # questions that a front looks at
_DIGESTS = re.compile(r" |[0-9a-f]{64} [A-Za-z0-9+/]{22}==")
Say: TypeAlias = Callable[[Topic, str], None]
May: TypeAlias = Callable[[LinkWish], Coroutine[Any, Any, bool]]


@dataclass(frozen=True, slots=True)
class _LinkQuestion:
    id: str
    name: str
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class _LinkAnswer:
    id: str
    signature: dict[str, object] | None  # None: it is refused


class WishRows(Protocol):
    """Where questions and answers are read that no message brought."""

    async def ask(self, question_id: str, question: str) -> None:
        """Write a question."""
        ...

    async def answer_to(self, question_id: str) -> str | None:
        """Read the answer to a question; None before there is one."""
        ...

    async def forget(self, question_id: str) -> None:
        """Delete a question and its answer."""
        ...

    async def unanswered(self) -> list[str]:
        """Read the oldest questions without an answer."""
        ...

    async def answer(self, question_id: str, answer: str) -> None:
        """Write the answer to a question."""
        ...


class BucketLinks(Protocol):
    """This process's part in the questions and answers."""

    async def run(self, stop: asyncio.Event) -> None:
        """Look at the rows until ``stop`` is set."""
        ...

    def hear(self, topic: str, text: str) -> None:
        """Act upon one message. Never blocks, and never raises for what another version wrote."""
        ...


class NoLinks:
    """Neither asks nor answers; whoever asks it is refused."""

    async def run(self, stop: asyncio.Event) -> None:
        """Do nothing until ``stop`` is set."""
        await stop.wait()

    def hear(self, topic: str, text: str) -> None:
        """Do nothing."""

    async def sign(self, wish: LinkWish) -> Signature | None:
        """Return None: there is nobody to ask."""
        await asyncio.sleep(0)
        del wish


class AskedLinks:
    """Implements :class:`core.artefacts.links.Links` for a node without a key."""

    def __init__(self, say: Say, rows: WishRows, again_s: float = AGAIN_S) -> None:
        """Take what sends messages, the rows, and the seconds until a question is asked again."""
        self._say = say
        self._rows = rows
        self._again_s = again_s
        self._waiting: dict[str, asyncio.Future[Signature | None]] = {}

    async def sign(self, wish: LinkWish) -> Signature | None:
        """Ask until a front answers; None where the wish is of no job that this node may have.

        What no message brings is asked by a row.
        """
        question = _LinkQuestion(uuid4().hex[:16], wish.name, wish.sha256, wish.md5)
        text = _text(asdict(question))
        answered: asyncio.Future[Signature | None] = asyncio.get_running_loop().create_future()
        self._waiting[question.id] = answered
        by_row = False
        try:
            while True:
                self._say(Topic.LINK, text)
                await asyncio.wait({answered}, timeout=self._again_s)
                if answered.done():
                    return answered.result()
                by_row = by_row or (await outcome_of(self._rows.ask(question.id, text))).ok
                found = await outcome_of(self._rows.answer_to(question.id))
                self.hear(Topic.LINKED, found.value or "")
        finally:
            del self._waiting[question.id]
            if by_row:
                await outcome_of(self._rows.forget(question.id), FORGET_S)

    async def run(self, stop: asyncio.Event) -> None:
        """Do nothing until ``stop`` is set: who asks looks by itself."""
        await stop.wait()

    def hear(self, topic: str, text: str) -> None:
        """Take an answer to a question of this node."""
        if topic != Topic.LINKED:
            return
        try:
            answer = decode(_LinkAnswer, parse_object(text))
            signed = answer.signature
            signature = None if signed is None else decode(Signature, signed)
        except UndecodableError:
            return
        waiting = self._waiting.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(signature)


class LinkAnswers:
    """Signs for nodes without a key what the rows say that they need."""

    def __init__(
        self,
        signer: UrlSigner,
        place: BucketPlace,
        may: May,
        say: Say,
        rows: WishRows,
        look_s: float = LOOK_S,
    ) -> None:
        """Take the key, where the bucket is, what asks about jobs, and what brings questions.

        ``look_s`` are the seconds between two looks at the rows.
        """
        self._rows = rows
        self._look_s = look_s
        self._signer = signer
        self._place = place
        self._may = may
        self._say = say
        self._looking: set[asyncio.Task[None]] = set()

    def hear(self, topic: str, text: str) -> None:
        """Answer a question beside everything else; one too many is asked again."""
        if topic != Topic.LINK or len(self._looking) >= AT_ONCE:
            return
        asked = _read_question(text)
        if asked is not None:
            task = asyncio.create_task(self._answer(*asked))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer by the rows what is asked there, until ``stop`` is set."""
        while not await wait_event(stop, self._look_s):
            questions = await outcome_of(self._rows.unanswered())
            for asked in map(_read_question, questions.value or ()):
                if asked is not None and (answer := await self._answered(*asked)):
                    await outcome_of(self._rows.answer(asked[0], answer))

    async def _answer(self, question_id: str, wish: LinkWish) -> None:
        if answer := await self._answered(question_id, wish):
            self._say(Topic.LINKED, answer)

    async def _answered(self, question_id: str, wish: LinkWish) -> str:
        """Return the answer; empty where the rows cannot be read just now."""
        may = await outcome_of(self._may(wish))
        if not may.ok:
            return ""
        signed: dict[str, object] | None = None
        if may.value:
            asked = self._place.request(wish)
            signed = asdict(self._signer.signature(asked, LINK_S, now_ms()))
        else:
            log.warning("link_refused", name=wish.name)
        return _text({"id": question_id, "signature": signed})


def _read_question(text: str) -> tuple[str, LinkWish] | None:
    try:
        question = decode(_LinkQuestion, parse_object(text))
        wish = LinkWish(require_name(question.name), question.sha256, question.md5)
    except (UndecodableError, ValueError):
        return None
    return (question.id, wish) if _DIGESTS.fullmatch(f"{wish.sha256} {wish.md5}") else None


def _text(data: dict[str, object]) -> str:
    return json.dumps(data, separators=(",", ":"))
