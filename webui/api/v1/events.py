"""The stream of one job: an event for each change, until it is over.

An event has the whole job, and its id names what was seen. Whoever comes back with that id misses
nothing and gets nothing twice.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from webui.api.v1.answers import JobResource, JobWriter
from webui.studio.programs import Sight

LOOK_S = 0.5  # between two looks: events come at most so often
BEAT_S = 15.0  # proxies close what is silent for half a minute or more
RETRY_MS = 2000  # after which a browser connects again

Look = Callable[[], Awaitable[Sight | None]]


def id_of(resource: JobResource) -> str:
    """Name what ``resource`` shows; when it should be over moves by itself and does not count."""
    text = resource.model_dump_json(exclude={"expected_at"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def job_events(
    look: Look, write: JobWriter, seen: str, stopping: Callable[[], bool]
) -> AsyncIterator[str]:
    """Yield the events of a job from the one after ``seen`` on, and a comment now and then.

    The stream ends with the job, without a word where the service is ``stopping``: its reader comes
    back to the next one and goes on.
    """
    clock = asyncio.get_running_loop().time
    yield f"retry: {RETRY_MS}\n\n"
    beat_at_s = clock() + BEAT_S
    while not stopping():
        if (sight := await look()) is None:
            yield _event("gone", "gone", json.dumps({}))
            return
        resource = write.write(sight)
        name = id_of(resource)
        if name != seen:
            seen, beat_at_s = name, clock() + BEAT_S
            yield _event("job" if resource.live else "end", name, resource.model_dump_json())
        if not resource.live:
            return
        if clock() >= beat_at_s:
            beat_at_s = clock() + BEAT_S
            yield ": alive\n\n"
        await asyncio.sleep(LOOK_S)


def _event(kind: str, name: str, data: str) -> str:
    return f"event: {kind}\nid: {name}\ndata: {data}\n\n"
