"""Who asks: a program by its token, as a bearer and nothing else."""

from dataclasses import dataclass, field

from starlette.requests import Request

from core.errors.programs import HeaderUnfit, ScopeMissing, TokenNeeded
from core.service.front_services import Program, TokenScope
from webui.auth.client_address import is_https
from webui.auth.middleware import visitor_of
from webui.auth.visitors import Visitor
from webui.studio.loop_bridge import Bridge
from webui.studio.programs import visitor_of_program
from webui.studio.service import StudioService

LONGEST_KEY = 200  # characters of an Idempotency-Key


@dataclass(frozen=True, slots=True)
class ProgramAsking:
    """A program that may do what it asks for."""

    program: Program
    visitor: Visitor
    token: str = field(repr=False)


class ProgramAccess:
    """Lets programs in."""

    def __init__(self, service: StudioService, bridge: Bridge) -> None:
        """Take who knows tokens, and the way to the core."""
        self._service = service
        self._bridge = bridge

    async def require(self, request: Request, scope: TokenScope) -> ProgramAsking:
        """Return the program that asks.

        Raises:
            TokenNeeded: there is no token, or none that works.
            ScopeMissing: the token may not do that.
        """
        asking = await self._asking(request)
        if scope not in asking.program.scopes:
            raise ScopeMissing(scope)
        return asking

    async def require_reader(self, request: Request) -> None:
        """Let in who may see the page, and every program: descriptions are for both.

        Raises:
            TokenNeeded: it is neither.
        """
        if visitor_of(request) is None:
            await self._asking(request)

    async def _asking(self, request: Request) -> ProgramAsking:
        sent = request.headers.getlist("authorization")
        kind, _, token = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
        program = None
        if kind.lower() == "bearer":
            known = self._service.programs.known
            program = await self._bridge.call(known.program_of(token.strip()))
        if program is None:
            raise TokenNeeded
        asking = ProgramAsking(program, visitor_of_program(program), token.strip())
        request.state.program = asking
        return asking

    def root(self, request: Request) -> str:
        """Return what absolute addresses begin with: the public one, or as it was asked for."""
        public = self._service.settings.studio.url.rstrip("/")
        scheme = "https" if is_https(request) else "http"
        return public or f"{scheme}://{request.headers.get('host', 'localhost')}"


def program_of(request: Request) -> ProgramAsking | None:
    """Return the program that was let in, None where none was."""
    return getattr(request.state, "program", None)


def key_asked(request: Request) -> str | None:
    """Return the Idempotency-Key, None where there is none.

    It may stand in quotes, as the draft of the standard has it, or not.

    Raises:
        HeaderUnfit: it is empty, too long, there twice, or no plain text.
    """
    sent = request.headers.getlist("idempotency-key")
    if not sent:
        return None
    key = sent[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if (
        len(sent) > 1
        or not key
        or len(key) > LONGEST_KEY
        or not (key.isascii() and key.isprintable())
    ):
        raise HeaderUnfit("Idempotency-Key")
    return f"program:{key}"
