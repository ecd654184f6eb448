"""What stands in the forms of somebody who is signed in: another device goes on with it."""

import json
from typing import Any, cast

from core.domain.time_units import DAY_MS
from core.service.front_services import FrontState
from webui.auth.visitors import HUGGING_FACE, PLATFORM, Visitor

MOST_BYTES = 64 * 1024  # of all forms of one account
LIFE_MS = 30 * DAY_MS  # that nobody touched


class KeptForms:
    """Keeps plain JSON data of each account; guests have their own browser only."""

    def __init__(self, state: FrontState) -> None:
        """Take where rows of a front are kept; they go when the account is forgotten."""
        self._state = state

    async def read(self, visitor: Visitor) -> dict[str, Any]:
        """Return the forms of ``visitor``, by name; empty where there are none."""
        if not visitor.account:
            return {}
        found: Any = await self._state.recall(*_place(visitor))
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    async def write(self, visitor: Visitor, forms: dict[str, Any]) -> bool:
        """Keep ``forms`` of ``visitor`` beside the others, which another tab may have left.

        Returns:
            False for guests, and where it is too much.
        """
        if not visitor.account:
            return False
        forms = {**await self.read(visitor), **forms}
        if len(json.dumps(forms)) > MOST_BYTES:
            return False
        await self._state.remember(*_place(visitor), forms or None)
        return True

    async def drop_old(self) -> None:
        """Drop what nobody has touched for :data:`LIFE_MS`."""
        for platform in (PLATFORM, HUGGING_FACE):
            await self._state.forget_older(f"{platform}-forms", LIFE_MS)


def _place(visitor: Visitor) -> tuple[str, str]:
    """Return the front and the name; both so that forgetting a person finds them."""
    who = visitor.requester
    return f"{who.platform}-forms", f"forms:{who.user_id}"
