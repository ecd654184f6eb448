"""A worker's questions about the bucket, and a front's answers, over messages that may be lost."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from core.artefacts.links import BucketPlace, LinkWish
from core.artefacts.presign import Signature, UrlSigner
from core.bus.bucket_links import AskedLinks, LinkAnswers
from core.bus.messages import LIMIT, Topic

PLACE = BucketPlace("s3://shelf/x", "https://s3.example", "shelf", "x")
SIGNER = UrlSigner("https://s3.example", "shelf", "eu-1", "key", SecretStr("secret"))
JOB = "0123456789abcdef" * 2
CLIP, INPUT = f"clips/{JOB}.89abcdef.mp4", f"media/{'a' * 64}.png"
TO_READ = LinkWish(INPUT)
TO_PUT = LinkWish(CLIP, "5" * 64, "1B2M2Y8AsgTpgAmY7PhCfg==")


class Rows:
    """Keeps questions and answers."""

    def __init__(self) -> None:
        self.questions: dict[str, str] = {}
        self.answers: dict[str, str] = {}

    async def ask(self, question_id: str, question: str) -> None:
        self.questions[question_id] = question

    async def answer_to(self, question_id: str) -> str | None:
        return self.answers.get(question_id)

    async def forget(self, question_id: str) -> None:
        self.questions.pop(question_id)
        self.answers.pop(question_id, None)

    async def unanswered(self) -> list[str]:
        return [text for key, text in self.questions.items() if key not in self.answers]

    async def answer(self, question_id: str, answer: str) -> None:
        self.answers[question_id] = answer


@dataclass
class Wire:
    """Carries messages between both sides; the next ``lost`` of them do not arrive."""

    allowed: set[str] = field(default_factory=lambda: {CLIP, INPUT})
    lost: int = 0
    said: list[tuple[Topic, str]] = field(default_factory=list[tuple[Topic, str]])

    def __post_init__(self) -> None:
        self.rows = Rows()
        self.worker = AskedLinks(self.say, self.rows, again_s=0.01)
        self.others = [AskedLinks(self.say, self.rows, again_s=0.01)]
        self.front = LinkAnswers(SIGNER, PLACE, self.may, self.say, self.rows, 0.01)

    def say(self, topic: Topic, text: str) -> None:
        self.said.append((topic, text))
        if self.lost:
            self.lost -= 1
            return
        for node in (self.worker, self.front, *self.others):
            node.hear(topic, text)

    async def may(self, wish: LinkWish) -> bool:
        await asyncio.sleep(0)
        return wish.name in self.allowed


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("wish", [TO_READ, TO_PUT])
async def test_a_wish_comes_back_signed_and_gives_the_address_of_the_worker(
    wire: Wire, wish: LinkWish
) -> None:
    signature = await wire.worker.sign(wish)

    assert signature is not None
    expected = SIGNER.signature(PLACE.request(wish), signature.seconds, _ms(signature))
    assert signature == expected
    assert PLACE.request(wish).address(signature).startswith("https://s3.example/shelf/x/")
    assert max(len(text) for _, text in wire.said) <= LIMIT
    assert not any("secret" in text or "https" in text for _, text in wire.said)


@pytest.mark.parametrize("lost", [1, 2, 5])
async def test_lost_messages_cost_a_moment(wire: Wire, lost: int) -> None:
    wire.lost = lost

    assert await wire.worker.sign(TO_PUT) is not None


async def test_what_the_rows_do_not_say_is_refused(wire: Wire) -> None:
    wire.allowed.clear()

    assert await wire.worker.sign(TO_READ) is None
    assert await wire.worker.sign(TO_PUT) is None


async def test_a_database_that_does_not_answer_refuses_nothing(wire: Wire) -> None:
    may, tries = wire.may, 0

    async def broken(wish: LinkWish) -> bool:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError
        return await may(wish)

    wire.front = LinkAnswers(SIGNER, PLACE, broken, wire.say, wire.rows, 0.01)

    assert await wire.worker.sign(TO_PUT) is not None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", json.dumps({"id": "1"}),
     json.dumps({"id": "1", "name": "../../etc/passwd", "sha256": "", "md5": ""}),
     json.dumps({"id": "1", "name": ".clapper", "sha256": "", "md5": ""}),
     json.dumps({"id": "1", "name": CLIP, "sha256": "5" * 64, "md5": "a\r\nx-amz-acl:public-read"}),
     json.dumps({"id": "1", "name": CLIP, "sha256": "5" * 64, "md5": ""}),
     json.dumps({"id": "1", "name": INPUT, "sha256": "", "md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
     json.dumps({"id": "1", "name": INPUT, "sha256": "x", "md5": ""}),
     json.dumps({"id": 1, "name": INPUT, "sha256": [], "md5": None})],
)  # fmt: skip
async def test_what_is_no_question_is_not_signed(wire: Wire, text: str) -> None:
    wire.front.hear(Topic.LINK, text)
    wire.worker.hear(Topic.LINKED, text)
    await wire.worker.sign(TO_READ)  # an event after it

    answers = [json.loads(said) for topic, said in wire.said if topic is Topic.LINKED]
    assert answers
    assert not any(answer["id"] in ("1", 1) for answer in answers)


async def test_an_answer_to_somebody_else_is_not_taken(wire: Wire) -> None:
    asking = asyncio.create_task(wire.worker.sign(TO_READ))
    await asyncio.sleep(0)
    stray = json.dumps({"id": "other", "signature": None})
    wire.worker.hear(Topic.LINKED, stray)

    assert await asking is not None


async def test_where_no_message_comes_through_the_rows_bring_question_and_answer(
    wire: Wire,
) -> None:
    wire.lost = 10**9
    stop = asyncio.Event()
    looking = asyncio.create_task(wire.front.run(stop))

    assert await wire.worker.sign(TO_PUT) is not None
    wire.allowed.clear()
    assert await wire.worker.sign(TO_READ) is None

    assert wire.rows.questions == {}
    stop.set()
    await looking


def _ms(signature: Signature) -> int:
    at = datetime.strptime(signature.stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)
