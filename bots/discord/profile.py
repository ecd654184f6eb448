"""Fill in what Discord shows of the application, where nobody wrote anything else."""

from typing import cast

import aiohttp
import discord
import structlog

from bots.discord.address import PLATFORM
from core.i18n.messages import say
from core.service.front_services import FrontState

log = structlog.get_logger(__name__)

DESCRIPTION_LIMIT = 400  # characters; source: Discord's documentation, Edit Current Application
SAID = "description"  # the name under which the last one of ours is kept


async def describe(client: discord.Client, state: FrontState) -> None:
    """Set the description of the application; one that its owner wrote stays."""
    text = say("bot_description")[:DESCRIPTION_LIMIT]
    ours = cast("object", await state.recall(PLATFORM, SAID))
    if ours == text:
        return
    try:
        about = await client.application_info()
        if about.description not in {"", ours}:
            return
        await about.edit(description=text)
    except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, TimeoutError) as error:
        log.info("description_not_set", reason=type(error).__name__)
        return
    await state.remember(PLATFORM, SAID, text)
