"""Do something only while its term is ours: begin it, end it, and begin it anew."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

from core.interfaces.terms import Term, Terms
from core.runtime.tasks import cancel_and_wait, wait_unless

Work: TypeAlias = Callable[[Term], Coroutine[Any, Any, None]]


async def run_while_held(terms: Terms, name: str, work: Work, stop: asyncio.Event) -> None:
    """Run ``work`` while the term called ``name`` is ours, until it ends by itself.

    Where the term is lost, ``work`` is cancelled, and begun again once the term is ours anew: not
    before all of the last run has ended.

    Args:
        terms: of this node.
        name: of the term.
        work: gets the term; ends soon after ``stop``, or where ``stop`` is not for it.
        stop: once it is set, nobody waits for the term here any more.

    Raises:
        Exception: whatever ``work`` raises.
    """
    while not stop.is_set():
        async with AsyncExitStack() as stack:
            term = await _taken(stack, terms, name, stop)
            if term is None or await _done(term, work(term)):
                return


async def _taken(
    stack: AsyncExitStack, terms: Terms, name: str, stop: asyncio.Event
) -> Term | None:
    """Wait for the term; None where ``stop`` was set before."""
    taking = asyncio.create_task(stack.enter_async_context(terms.term(name)))
    try:
        return taking.result() if await wait_unless(taking, stop.wait()) else None
    finally:
        await cancel_and_wait(taking)


async def _done(term: Term, work: Coroutine[Any, Any, None]) -> bool:
    """Run ``work`` to its end; False where the term was lost before."""
    working = asyncio.create_task(work)
    try:
        if not await wait_unless(working, term.wait_lost()):
            return False
        working.result()
        return True
    finally:
        await cancel_and_wait(working)


async def run_until_wanted(
    work: Coroutine[Any, Any, None], term: Term, stop: asyncio.Event
) -> None:
    """Run ``work`` to its end; after ``stop`` only while nobody else waits for ``term``.

    Raises:
        Exception: whatever ``work`` raises.
    """
    working = asyncio.create_task(work)
    try:
        if not await wait_unless(working, stop.wait()) and not term.wanted:
            await asyncio.wait({working})
        if working.done():
            working.result()
    finally:
        await cancel_and_wait(working)
