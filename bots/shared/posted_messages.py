"""Where the clip of a job was posted, so that Delete takes every copy."""

from core.service.front_services import FrontState

MOST = 50  # messages of a job that are remembered; the newest


class PostedMessages:
    """The messages of each job on one platform, ``channel/message``."""

    def __init__(self, state: FrontState, front: str) -> None:
        """Take what is kept over a restart, and the name to keep it under."""
        self._state = state
        self._front = front

    async def add(self, job_id: str, where: str) -> None:
        """Note that a message shows the clip of a job."""
        known = await self._known(job_id)
        if where not in known:
            await self._state.remember(self._front, job_id, [*known, where][-MOST:])

    async def take(self, job_id: str) -> list[tuple[int, int]]:
        """Return the messages of a job, and forget them."""
        found = await self._known(job_id)
        await self._state.remember(self._front, job_id, None)
        pairs = [where.partition("/") for where in found]
        return [(int(chat), int(message)) for chat, _, message in pairs]

    async def _known(self, job_id: str) -> list[str]:
        kept = await self._state.recall(self._front, job_id)
        return [str(one) for one in kept] if isinstance(kept, list) else []  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # plain JSON data

    async def prune(self, age_ms: int) -> None:
        """Forget what is older than any clip is kept."""
        await self._state.forget_older(self._front, age_ms)
