"""The stage on which a front's tests play the scenarios, over the same service everywhere."""

from typing import TYPE_CHECKING, Protocol

from core.domain.jobs import JobState
from core.domain.people import Requester
from tests.support.platforms.service import FrontService

if TYPE_CHECKING:
    from core.domain.modes import Mode
    from tests.support.platforms.steps import Ask, Command, Press, Refused


class Stage(Protocol):
    """A platform with a running service, as the scenarios need it. Answers go by their names."""

    async def ask(self, step: "Ask") -> None:
        """Let a person ask in the platform's most usual way, tiny and fast."""
        ...

    async def refused(self, step: "Refused") -> None:
        """Let a person ask; return once they were told why not."""
        ...

    async def command(self, step: "Command") -> None:
        """Let a person give a command."""
        ...

    async def confirm(self, answer: str, who: str) -> None:
        """Press the only button of an answer once it is there."""
        ...

    async def leave(self, who: str, gpu_ms: int) -> None:
        """Leave a person only so much GPU time."""
        ...

    async def block(self, actor: str, who: str, reason: str) -> None:
        """Keep a person from making videos."""
        ...

    async def spent(self, who: str) -> int:
        """Return what a person has used and reserved, GPU-milliseconds."""
        ...

    async def repeat(self, answer: str) -> None:
        """Hand over the same event again."""
        ...

    async def press(self, step: "Press") -> None:
        """Press the button once it is there."""
        ...

    async def hold(self) -> None:
        """Let jobs stand still from now on."""
        ...

    async def release(self) -> None:
        """Let jobs finish again."""
        ...

    async def running(self, answer: str) -> None:
        """Return once the job behind the answer runs."""
        ...

    async def restart(self) -> None:
        """Stop the service at once, and start it again on the same data."""
        ...

    async def fail_next(self, error: Exception) -> None:
        """Let the next job fail with ``error``."""
        ...

    async def lose_answer(self) -> None:
        """Lose the platform's answer to the next upload of a clip."""
        ...

    async def says(self, answer: str, text: str) -> None:
        """Return once the answer shows ``text``."""
        ...

    async def told(self, who: str, text: str) -> None:
        """Return once somebody was told ``text``."""
        ...

    async def clip(self, answer: str) -> tuple[str, "Mode"]:
        """Return whose clip the answer shows by its provenance, and its mode."""
        ...

    async def gone(self, answer: str) -> None:
        """Return once the answer is deleted."""
        ...

    async def clips(self) -> int:
        """Return how many messages show a clip once nothing is running or owed."""
        ...


class ServiceStage:
    """The half of :class:`Stage` that never touches the platform."""

    def __init__(self, place: FrontService, platform: str, ids: dict[str, int]) -> None:
        """Take the people's ids on the platform, by name."""
        self._place = place
        self._people = {name: Requester(platform, str(number)) for name, number in ids.items()}

    async def hold(self) -> None:
        """Let jobs stand still from now on."""
        self._place.executor.gate.clear()

    async def release(self) -> None:
        """Let jobs finish again."""
        self._place.executor.gate.set()

    async def restart(self) -> None:
        """Stop the service at once, and start it again on the same data."""
        await self._place.stop()
        await self._place.start()

    async def fail_next(self, error: Exception) -> None:
        """Let the next job fail with ``error``."""
        self._place.executor.faults.append(error)

    async def running(self, answer: str) -> None:
        """Return once a job runs; ``answer`` is the only one that can."""
        del answer
        await self._place.in_state(JobState.RUNNING)

    async def leave(self, who: str, gpu_ms: int) -> None:
        """Leave somebody only so much GPU time."""
        view = await self._place.core.quotas.quota(self._people[who])
        await self._place.core.quotas.grant(self._people[who], gpu_ms - view.left_ms)

    async def block(self, actor: str, who: str, reason: str) -> None:
        """Keep somebody from making videos."""
        community = self._place.core.community
        await community.moderation.block(self._people[actor], self._people[who], reason)

    async def spent(self, who: str) -> int:
        """Return what somebody has used and reserved, GPU-milliseconds."""
        view = await self._place.core.quotas.quota(self._people[who])
        return view.used_ms + view.reserved_ms
