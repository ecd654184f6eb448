"""How large a file may be where a clip goes, and what to try after a refusal."""

import discord

from bots.discord.address import DiscordAddress

STEPS = (
    50_000_000,
    20_000_000,
    10_000_000,
)  # bytes; limits that Discord had at one time or another
STEP_DOWN = 0.5  # of what was refused, below those
HEADROOM = 0.98  # of a limit; multipart framing needs a little


def upload_limit(client: discord.Client, at: DiscordAddress) -> int:
    """Return the bytes that every send method accepts at this destination.

    The interaction's limit may come from the person's own subscription; once the bot posts by
    itself only the guild's counts, so plan for the smaller of both.
    """
    guild = client.get_guild(at.guild_id) if at.guild_id else None
    own = at.file_limit or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
    if at.token_lives or guild is None:
        return own
    return min(own, guild.filesize_limit)


def smaller(refused: int) -> int:
    """Choose the size in bytes to try after a file of ``refused`` bytes was too large."""
    step = next((step for step in STEPS if step < refused), round(refused * STEP_DOWN))
    return int(max(step, refused * STEP_DOWN) * HEADROOM)
