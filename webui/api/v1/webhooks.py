"""Tell programs how their jobs ended: signed messages, which the outbox repeats until one is taken.

The delivery id is the same in every try, so a program that gets a message twice can tell. What is
signed is the time, a full stop and the body; the secret is the token's.
"""

import hashlib
import hmac
import json
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import httpx2

from core.domain.jobs import Failure, Job, ReplyTo
from core.domain.media import Clip
from core.domain.progress import Progress
from core.errors import DeliveryImpossible, DeliveryRetry
from core.errors.programs import WebhookRefused
from core.interfaces.delivery import DeliveryAttempt, Receipt
from core.runtime.clock import Clock
from core.runtime.tasks import outcome_of
from core.service.front_services import KnownPrograms
from webui.api.v1.answers import BASE
from webui.api.v1.webhook_target import WebhookTarget, find_target
from webui.http_dates import read_http_date

PLATFORM = "webhook"
TIMEOUT_S = 15.0  # of one try: name, connection, answer
VERSION = "v1"  # of the signature
_GONE = 410


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One message, ready to be sent."""

    id: str
    at_s: int
    body: bytes
    secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers: what it is, which one, when, and the signature."""
        signed = f"{self.at_s}.".encode() + self.body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "User-Agent": "Clapper-Webhook/1",
            "Clapper-Delivery": self.id,
            "Clapper-Timestamp": str(self.at_s),
            "Clapper-Signature": f"{VERSION}={digest}",
        }


def reply_to_program(url: str, prefix: str, root: str) -> ReplyTo:
    """Return the reply address of a job whose end is told at ``url``.

    Args:
        url: where to.
        prefix: of the token that asks; its secret signs.
        root: of addresses in the message.
    """
    return ReplyTo(PLATFORM, {"url": url, "token": prefix, "root": root})


def _end_of(job: Job, clip: Clip | None, failure: Failure | None) -> dict[str, object]:
    """Say how a job ended: where its clip is, or why there is none."""
    if clip is not None:
        address = f"{job.reply_to.address.get('root', '')}{BASE}/jobs/{job.id}/clip"
        told = {"url": address, "bytes": clip.size_bytes, "sha256": clip.sha256}
        return {"clip": told, "error": None}
    why = failure or job.end_reason
    return {"clip": None, "error": {"code": why.code, "data": why.data}}


class WebhookDelivery:
    """Implements :class:`core.interfaces.delivery.Delivery`."""

    platform = PLATFORM

    def __init__(self, programs: KnownPrograms, clock: Clock, *, loopback: bool) -> None:
        """Take who knows the secrets, the time (epoch ms), and whether this machine may be told."""
        self._programs = programs
        self._clock = clock
        self._loopback = loopback
        self._trying: Counter[str] = Counter()  # by token
        self._slow: set[str] = set()  # tokens whose receiver let its last try run out

    async def progress(self, job: Job, event: Progress) -> None:
        """Drop it: programs follow a job by its stream of events."""

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Tell that the clip is there.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        return await self._tell(job, attempt, _end_of(job, clip, None))

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Tell of all drafts in one message: the first one's, with all of them in ``drafts``.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        ends = [_end_of(job, job.clip, job.failure) for job in jobs]
        listed = [
            {"id": job.id, "state": job.state.value, **end}
            for job, end in zip(jobs, ends, strict=True)
        ]
        return await self._tell(jobs[0], attempt, {**ends[0], "drafts": listed})

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Tell that there is no clip, and why.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        return await self._tell(job, attempt, _end_of(job, None, failure))

    async def _tell(self, job: Job, attempt: DeliveryAttempt, end: dict[str, object]) -> Receipt:
        address = job.reply_to.address
        secret = await self._programs.signing_secret(address.get("token", ""))
        if secret is None:
            raise DeliveryImpossible("webhook_revoked")
        body = {
            "type": f"job.{job.state.value}",
            "delivery": attempt.nonce,
            "job": {
                "id": job.id,
                "url": f"{address.get('root', '')}{BASE}/jobs/{job.id}",
                "mode": str(job.mode_word),
                "state": job.state.value,
                **end,
            },
        }
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        message = WebhookMessage(attempt.nonce, self._clock() // 1000, text, secret)
        await self._in_turn(address.get("token", ""), address.get("url", ""), message)
        return Receipt(attempt.nonce)

    async def _in_turn(self, token: str, url: str, message: WebhookMessage) -> None:
        """Send ``message``; to a slow receiver one at a time, so that others get theirs.

        Raises:
            DeliveryRetry: not now.
            DeliveryImpossible: never.
        """
        if token in self._slow and self._trying[token]:
            raise DeliveryRetry("webhook_slow")
        self._trying[token] += 1
        try:
            tried = await outcome_of(self._send(url, message), TIMEOUT_S)
        finally:
            self._trying[token] -= 1
        if tried.timed_out:
            self._slow.add(token)
            raise DeliveryRetry("webhook_slow", sent=True)
        self._slow.discard(token)
        if tried.error is not None:
            raise tried.error

    async def _send(self, url: str, message: WebhookMessage) -> None:
        try:
            target = await find_target(url, loopback=self._loopback)
        except WebhookRefused as refused:
            if refused.reason == "webhook_unresolved":  # the server of names may be away
                raise DeliveryRetry(refused.reason) from None
            raise DeliveryImpossible(refused.reason) from None
        try:
            await post(target, message)
        except httpx2.HTTPError:
            raise DeliveryRetry("webhook_unreachable", sent=True) from None


async def post(target: WebhookTarget, message: WebhookMessage) -> None:
    """Send ``message`` to the checked address; the answer's body is not read.

    Raises:
        DeliveryRetry: the answer is no success; a redirect is none.
        DeliveryImpossible: it says that no message is wanted any more.
        HTTPError: there is no answer.
    """
    headers = {**message.headers, "Host": target.host}
    named = {"sni_hostname": target.name}
    async with (
        httpx2.AsyncClient(
            verify=_authorities(), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        ) as client,
        client.stream(
            "POST", target.url, content=message.body, headers=headers, extensions=named
        ) as answer,
    ):
        if answer.is_success:
            return
        if answer.status_code == _GONE:
            raise DeliveryImpossible("webhook_gone")
        after_s = _asked_wait(answer.headers.get("retry-after", ""))
        raise DeliveryRetry("webhook_answer", after_s=after_s, sent=True)


@cache
def _authorities() -> ssl.SSLContext:
    """Return whose certificates are trusted; reading them takes 20 ms of the loop."""
    return httpx2.create_ssl_context(trust_env=False)


def _asked_wait(text: str) -> float | None:
    """Read Retry-After: seconds, or a date; None where it says neither."""
    if text.isdecimal():
        return float(text[:9])
    at = read_http_date(text)
    return None if at is None else max(0.0, (at - datetime.now(UTC)).total_seconds())
