"""Two guilds, twenty people, a hundred jobs: every clip lands with who asked for it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.load

GUILDS, USERS, JOBS_EACH = 2, 20, 5
GAP_S = 0.25  # a heartbeat that waits longer is on its way to be missed


SCHEDSTAT = Path("/proc/thread-self/schedstat")  # ns: running, waiting for a core, slices


def waited_for_a_core_s() -> float:
    """How long this thread was ready but the machine ran something else."""
    return int(SCHEDSTAT.read_text().split()[1]) / 1e9 if SCHEDSTAT.exists() else 0.0


class Pulse:
    """The longest time in which the event loop was held up, other than by a busy machine."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self.task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        last, waited = loop.time(), waited_for_a_core_s()
        while True:
            await asyncio.sleep(0.01)
            now, waits = loop.time(), waited_for_a_core_s()
            self.longest_s = max(self.longest_s, (now - last) - (waits - waited))
            last, waited = now, waits

    async def stop(self) -> float:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        return self.longest_s


async def test_a_hundred_jobs_of_twenty_people_land_with_their_owners(guild_with, read_job) -> None:
    guild = guild_with(max_queued=JOBS_EACH, discord_edit_s=0.5)
    channels = [guild.channel, *guild.world.guild()]
    async with guild:
        pulse = Pulse()

        async def ask(user: int, number: int):
            channel = channels[user % GUILDS]
            seed = str(user * 100 + number)
            options = {"preset": "fast", "seconds": 1.0, "width": 256, "height": 256, "fps": 8}
            command = guild.server.command
            return (
                user,
                seed,
                await command("t2v", user, channel, prompt=f"kite {seed}", seed=seed, **options),
            )

        people = range(1000, 1000 + USERS)
        asked = await asyncio.gather(
            *(ask(user, number) for number in range(JOBS_EACH) for user in people)
        )
        await guild.world.until(lambda: len(guild.world.with_video()) == len(asked), 60)
        counts = await guild.quiet()
        longest = await pulse.stop()

        assert (counts.sent, counts.dead) == (USERS * JOBS_EACH, 0)
        owners: Counter[str] = Counter()
        for user, seed, interaction in asked:
            message = guild.world.messages[interaction.original]
            job = await guild.core.service.job(read_job(message.videos[0]))
            assert job.requester.user_id == str(user)
            assert str(job.request.sampling.seed) == seed
            assert message.channel_id == channels[user % GUILDS].id
            assert len(message.videos) == 1
            owners[job.requester.user_id] += 1
        assert set(owners.values()) == {JOBS_EACH}
        assert longest < GAP_S
