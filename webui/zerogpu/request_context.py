# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""In whose name the Space borrows a GPU: the newest token of every visitor who still asks.

A Space's day of GPU time belongs to the visitor, who is known by a token in the headers of each
request. The platform takes a token for about two minutes, and a job may wait longer, so it is taken
when a GPU is borrowed, from the last request of the visitor's page or program. Nothing is stored:
only the newest token of a visitor is here, in memory.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import structlog
from starlette.requests import HTTPConnection, Request

from core.duration import Tier
from core.duration.zerogpu import DAY_S
from core.runtime.cancellation import CancelToken
from webui.auth.visitors import Visitor
from webui.zerogpu.errors import GpuPageClosed, GpuTokenExpired

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

FRESH_S = 100.0  # of a request whose token is taken for 120 s; a run of 127 s has seen one refused
WAIT_S = 10.0  # for a newer request; a page that is looked at asks every second
_TOKEN, _KIND = "x-ip-token", "x-gradio-user"  # headers that the lender's package reads
_LOOK_S = 0.2  # between two looks whether the job was cancelled meanwhile
_KEPT = 2000  # visitors


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request of a visitor, as far as a GPU is borrowed with it."""

    headers: dict[str, str] = field(repr=False)
    at_s: float  # monotonic
    tier: Tier | None = None  # None: nobody said
    page: bool = True  # else a program, which has no page to keep open

    @property
    def token(self) -> str:
        """Return the token of the visitor; empty where the request had none."""
        return self.headers.get(_TOKEN, "")

    def context(self) -> Context:
        """Return a context in which the lender's package sees this request."""
        import gradio as gr
        from gradio.context import LocalContext

        context = copy_context()
        raw = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        request = Request({"type": "http", "headers": raw})
        context.run(LocalContext.request.set, gr.Request(request))
        return context


class NobodysContext(RequestContext):
    """What a GPU is borrowed with for nobody in particular: in the name of the Space."""

    def __init__(self) -> None:
        super().__init__({}, 0.0)

    def context(self) -> Context:
        """Return the present context, without any request."""
        return copy_context()


class RequestContexts:
    """The newest request of each visitor; written by the web server, read by the executor."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, seconds that only go forward."""
        self.wanted = False  # only an executor that borrows its GPU asks for them
        self._clock = clock
        self._newest: OrderedDict[str, RequestContext] = OrderedDict()
        self._arrived = threading.Condition()

    @property
    def days_ms(self) -> Mapping[str, int] | None:
        """Return what is lent a day, by the tier of a visitor; None where nothing is."""
        if not self.wanted:
            return None
        return {tier.value: seconds * 1000 for tier, seconds in DAY_S.items()}

    def note(self, visitor: Visitor, request: HTTPConnection, *, page: bool = True) -> None:
        """Remember ``request`` as the newest of ``visitor``, and of the guest they were before.

        One without a token, as from outside the platform's frame, never replaces a fresh one with.
        """
        if not self.wanted or not visitor.kept:
            return
        found = {name: request.headers[name] for name in (_TOKEN, _KIND) if name in request.headers}
        tier = Tier(visitor.payer.tier) if visitor.payer and visitor.payer.tier else None
        context = RequestContext(found, self._clock(), tier, page)
        with self._arrived:
            for whose in (visitor.requester, visitor.earlier):
                if whose is not None and not self._better(self._newest.get(whose.key), context):
                    self._newest[whose.key] = context
                    self._newest.move_to_end(whose.key)
            while len(self._newest) > _KEPT:
                self._newest.popitem(last=False)
            self._arrived.notify_all()

    def take(
        self, whose: str, cancel: CancelToken, after: RequestContext | None = None
    ) -> RequestContext:
        """Return the newest request of ``whose``, who may be just about to ask.

        Args:
            whose: key of the requester; empty for nobody in particular.
            cancel: ends the wait.
            after: a request whose token was refused; another token is wanted.

        Raises:
            Cancelled: by ``cancel``.
            GpuPageClosed: the page has not asked for too long; nothing was borrowed.
            GpuTokenExpired: the same of a program, or no newer token came in time.
        """
        cancel.raise_if_cancelled()  # while it stood in line for a thread
        if not whose:
            return NobodysContext()
        until = self._clock() + WAIT_S
        with self._arrived:
            while (found := self._usable(whose, after)) is None:
                cancel.raise_if_cancelled()
                if self._clock() >= until:
                    raise self._gone(whose, after)
                self._arrived.wait(_LOOK_S)
        return found

    def _better(self, known: RequestContext | None, new: RequestContext) -> bool:
        """Return whether ``known`` has what ``new`` lacks, and is not too old."""
        return known is not None and bool(known.token) and not new.token and self._fresh(known)

    def _fresh(self, context: RequestContext) -> bool:
        return self._clock() - context.at_s <= FRESH_S

    def _usable(self, whose: str, after: RequestContext | None) -> RequestContext | None:
        found = self._newest.get(whose)
        if found is None or not self._fresh(found):
            return None
        return None if after is not None and found.token == after.token else found

    def _gone(self, whose: str, after: RequestContext | None) -> GpuPageClosed | GpuTokenExpired:
        """Return why there is no request to borrow with."""
        found = self._newest.get(whose)
        asks = found is not None and after is not None and found.at_s > after.at_s
        if asks or (found is not None and not found.page):
            return GpuTokenExpired()
        return GpuPageClosed()


class Borrower:
    """The visitor for whose job GPUs are borrowed, asked anew for each of them."""

    def __init__(self, contexts: RequestContexts, whose: str, cancel: CancelToken) -> None:
        """Take the key of the requester, empty for nobody in particular."""
        self._contexts = contexts
        self._whose = whose
        self._cancel = cancel

    def visitor(self, after: RequestContext | None = None) -> RequestContext:
        """Return their newest request, see :meth:`RequestContexts.take`."""
        return self._contexts.take(self._whose, self._cancel, after)

    def run(self, borrow: Callable[P, T], *args: P.args, **others: P.kwargs) -> T:
        """Call ``borrow`` in the name of the visitor, once more where their token has aged.

        Raises:
            Cancelled: while a newer request was waited for.
            GpuPageClosed: they have left.
            GpuTokenExpired: the lender does not take their newest token either.
        """
        known = self.visitor()
        try:
            return known.context().run(borrow, *args, **others)
        except GpuTokenExpired:  # nothing was borrowed
            if not self._whose:
                raise
            log.info("gpu_token_aged")
        return self.visitor(after=known).context().run(borrow, *args, **others)
