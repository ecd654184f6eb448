"""Text on its way to PostgreSQL; imported only where that is used."""

from psycopg.types.string import StrDumperUnknown


class TextDumper(StrDumperUnknown):
    """Sends U+FFFD for U+0000, which PostgreSQL cannot hold: a name with one is nobody's."""

    def dump(self, obj: str) -> bytes | None:
        """Return what is sent."""
        return super().dump(obj.replace("\0", "\ufffd"))  # pyright: ignore[reportReturnType]  # bytes
