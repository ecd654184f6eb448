"""The channels that operators chose: where clips are published, and where reports are read."""

from collections.abc import Callable, Sequence

from core.domain.feed import ChannelKind, FeedChannel, FeedTarget
from core.domain.people import Requester
from core.domain.policy import EVERYWHERE
from core.storage import feed as rows
from core.storage import moderation
from core.storage.database import Connection, Database


class FeedChannels:
    """Keeps a channel of each kind for places, and for all places one on each platform."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        """Take the database and the time (epoch ms)."""
        self._database = database
        self._now = now

    async def find(self, place: str, platform: str, kind: ChannelKind) -> FeedTarget | None:
        """Return the channel for ``place``, None where an operator chose none.

        That of the place goes before those of all places, and of those the one on ``platform``.
        """
        async with self._database.snapshot() as connection:
            return await find_channel(connection, (place,), platform, kind)

    async def choose(self, actor: Requester, channel: FeedChannel) -> None:
        """Keep a channel, in the place of the one that was chosen before."""
        async with self._database.transaction() as connection:
            await rows.save_channel(connection, channel, self._now())
            verb, detail = f"feed_{channel.kind}", channel.target.key
            await moderation.note(connection, self._now(), actor.key, verb, channel.place, detail)

    async def drop(self, actor: Requester, place: str, kind: ChannelKind) -> bool:
        """Forget the channels of a kind for a place; posts in them stay. False without any."""
        async with self._database.transaction() as connection:
            dropped = await rows.drop_channels(connection, place, kind)
            if dropped:
                verb = f"feed_{kind}"
                await moderation.note(connection, self._now(), actor.key, verb, place, "off")
        return dropped

    async def listed(self, place: str | None = None) -> list[FeedChannel]:
        """List what holds in a place, its own and those of all places; without one everything."""
        places = None if place is None else list(dict.fromkeys((place, EVERYWHERE)))
        async with self._database.snapshot() as connection:
            return await rows.channels(connection, places)

    async def move_place(self, old: str, new: str) -> None:
        """Let the channels of and in a place, and what is shown there, follow it."""
        async with self._database.transaction() as connection:
            await rows.move_channels(connection, old, new, self._now())
            await rows.move_posts(connection, old, new)


async def find_channel(
    connection: Connection, places: Sequence[str], platform: str, kind: ChannelKind
) -> FeedTarget | None:
    """Return the channel of the first of ``places`` that has one, inside a transaction.

    Those of all places come last, and of them the one on ``platform`` first.
    """
    asked = list(dict.fromkeys((*places, EVERYWHERE)))
    known = [one for one in await rows.channels(connection, asked) if one.kind == kind]
    known.sort(key=lambda one: (asked.index(one.place), one.target.platform != platform))
    return known[0].target if known else None
