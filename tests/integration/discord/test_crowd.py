"""Two guilds, twenty people, a hundred jobs: every clip lands with who asked for it."""

import asyncio
from collections import Counter

import pytest

from core.testing.loop_lag import Pulse

pytestmark = pytest.mark.load

GUILDS, USERS, JOBS_EACH = 2, 20, 5
GAP_S = 0.25  # a heartbeat that waits longer is on its way to be missed


async def test_a_hundred_jobs_of_twenty_people_land_with_their_owners(guild_with, read_job) -> None:
    guild = guild_with(max_queued=JOBS_EACH, discord_edit_s=0.5)
    channels = [guild.channel, *guild.world.guild()]
    async with guild, Pulse() as pulse:

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
        longest = pulse.longest_s

        assert (counts.sent, counts.dead) == (USERS * JOBS_EACH, 0)
        owners: Counter[str] = Counter()
        for user, seed, interaction in asked:
            message = guild.world.messages[interaction.original]
            job = await guild.core.jobs.get(read_job(message.videos[0]))
            assert job.requester.user_id == str(user)
            assert str(job.request.sampling.seed) == seed
            assert message.channel_id == channels[user % GUILDS].id
            assert len(message.videos) == 1
            owners[job.requester.user_id] += 1
        assert set(owners.values()) == {JOBS_EACH}
        assert longest < GAP_S
