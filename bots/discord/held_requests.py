"""Let nothing leave for Discord while another node may hold the bot."""

from types import SimpleNamespace

import aiohttp

from core.interfaces.terms import Term


class GatewayNotHeld(aiohttp.ClientError):
    """The bot is another node's; nothing was sent."""


def only_while_held(term: Term) -> aiohttp.TraceConfig:
    """Refuse every request of a session, the gateway's included, where ``term`` is not held.

    Also a process that was stopped, and goes on in the middle of an answer, sends no more of it.
    """

    async def check(
        session: aiohttp.ClientSession, context: SimpleNamespace, about: object
    ) -> None:
        del session, context, about
        if not term.held:
            raise GatewayNotHeld

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(check)
    return trace
