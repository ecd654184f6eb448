"""From the web server's thread to the core's event loop and back, without blocking either."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Bridge:
    """Runs coroutines of the core on the loop that owns them."""

    def __init__(self, home: asyncio.AbstractEventLoop) -> None:
        """Take the core's loop; call from any other."""
        self._home = home

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the core's loop; cancelling this cancels it there."""
        if asyncio.get_running_loop() is self._home:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._home))
