"""A chat platform that many processes post to, and which counts what each of them posted."""

import asyncio
import fcntl
import json
import os
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from core.domain.jobs import Failure, Job
from core.domain.media import Clip
from core.domain.progress import Progress
from core.interfaces.delivery import DeliveryAttempt, Receipt


@dataclass(frozen=True, slots=True)
class SharedChat:
    """Implements a delivery whose messages are lines of a file.

    It posts without looking, unless an attempt is ambiguous, as platforms ask it of bots. A post
    takes ``post_s`` before and after the message is there, so that processes die in between.
    """

    book: Path
    platform: str = "test"
    post_s: float = 0.0

    async def progress(self, job: Job, event: Progress) -> None:
        """Show nothing: what a message said before it was final is not counted."""

    async def completed(self, job: Job, clip: Clip, attempt: DeliveryAttempt) -> Receipt:
        """Post that ``clip`` is there.

        Raises:
            FileNotFoundError: the file to upload is not on this machine.
        """
        size = (await asyncio.to_thread(clip.path.stat)).st_size
        return await self._post(attempt, job.id, "completed", size)

    async def drafts(self, jobs: Sequence[Job], attempt: DeliveryAttempt) -> Receipt:
        """Post that the drafts are there."""
        return await self._post(attempt, jobs[0].id, "drafts", 0)

    async def failed(self, job: Job, failure: Failure, attempt: DeliveryAttempt) -> Receipt:
        """Post why there is no clip."""
        return await self._post(attempt, job.id, failure.code, 0)

    def posts(self) -> Counter[str]:
        """Count the messages about each job."""
        return Counter(entry["job_id"] for entry in self.entries())

    def entries(self) -> list[dict[str, str]]:
        """Read every message, oldest first."""
        if not self.book.exists():
            return []
        return [json.loads(line) for line in self.book.read_text("utf-8").splitlines()]

    async def _post(self, attempt: DeliveryAttempt, job_id: str, kind: str, size: int) -> Receipt:
        await asyncio.sleep(self.post_s)
        entry = {"nonce": attempt.nonce, "job_id": job_id, "kind": kind, "bytes": size}
        with _locked(self.book) as file:
            if not (attempt.ambiguous and any(_nonce(line) == attempt.nonce for line in file)):
                file.write(json.dumps(entry) + "\n")
                file.flush()
                os.fsync(file.fileno())
        await asyncio.sleep(self.post_s)
        return Receipt(f"{self.platform}-{attempt.nonce}")


def _nonce(line: str) -> str:
    return json.loads(line)["nonce"]


@contextmanager
def _locked(book: Path) -> Generator[TextIO]:
    with book.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file
