"""Who may come through the gate: machines with a token each, which an operator gives and takes."""

import re

from core.errors.gate import GateNodeUnknown
from core.gate.keys import TOKEN, digest_of, new_token, same
from core.runtime.clock import Clock, now_ms
from core.storage import gate_nodes as rows
from core.storage.database import Database
from core.storage.gate_nodes import GateNode

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class GateNodes:
    """Gives tokens and knows them again; a token itself is kept nowhere."""

    def __init__(self, database: Database, clock: Clock = now_ms) -> None:
        """Take the database."""
        self._database = database
        self._clock = clock

    async def admit(self, name: str) -> str:
        """Give the machine ``name`` a new token, and return it; an earlier one ends.

        Raises:
            GateNodeUnknown: that is no name of a machine.
        """
        if not NAME.fullmatch(name):
            raise GateNodeUnknown(name[:80])
        token = new_token()
        async with self._database.transaction() as connection:
            await rows.write_node(connection, name, digest_of(token), self._clock())
        return token

    async def revoke(self, name: str) -> None:
        """End the token of ``name``; its next call is refused.

        Raises:
            GateNodeUnknown: it has none that works.
        """
        async with self._database.transaction() as connection:
            if not await rows.revoke(connection, name, self._clock()):
                raise GateNodeUnknown(name[:80])

    async def node_of(self, token: str) -> GateNode | None:
        """Return whose ``token`` is; None where it is none, or was revoked."""
        if not TOKEN.fullmatch(token):
            return None
        digest = digest_of(token)
        async with self._database.snapshot() as connection:
            found = await rows.node_with(connection, digest)
        return found if found is not None and same(found.digest, digest) else None

    async def known(self) -> list[GateNode]:
        """Return all that were ever let in."""
        async with self._database.snapshot() as connection:
            return await rows.all_nodes(connection)
