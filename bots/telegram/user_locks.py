"""Handle the messages and buttons of one person in one chat in the order in which they came."""

import asyncio
from weakref import WeakValueDictionary


class UserLocks:
    """One lock for each person in each chat; waiters get it in the order in which they came."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    def of(self, chat_id: int, user_id: int) -> asyncio.Lock:
        """Find the lock to hold while a person's message or button is handled."""
        return self._locks.setdefault((chat_id, user_id), asyncio.Lock())
