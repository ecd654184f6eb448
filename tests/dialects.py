"""Tests that run on SQLite and on PostgreSQL: all in these folders that open a database.

What speaks SQLite itself says so by the marker ``sqlite``. `make test` runs those of ``ALWAYS`` on
both; of the other modules it runs one test on PostgreSQL, `make test-slow` the rest.
"""

from pathlib import Path

ROOT = Path(__file__).parent
BOTH = (
    "contract",
    "integration/community",
    "integration/control",
    "integration/discord",
    "integration/service",
    "integration/telegram",
    "unit/accounts",
    "unit/app",
    "unit/duration",
    "unit/nodes",
    "unit/queue",
    "unit/service",
    "unit/storage",
    "unit/worker",
)
ALWAYS = ("contract/delivery", "unit/nodes", "unit/queue/test_state_machine.py", "unit/storage")


def on_both(path: Path) -> bool:
    """Tell whether the tests of the module at ``path`` run on both dialects."""
    return _below(path, BOTH)


def always(path: Path) -> bool:
    """Tell whether all of its tests do so in `make test`."""
    return _below(path, ALWAYS)


def _below(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(ROOT / folder) for folder in folders)
