"""Which settings of whoever builds a Space go with its folder, and the file that holds them.

Those of what is made and who may ask for how much go. Those of this machine (places, ports,
addresses), secrets, and names of accounts that run the service stay.
"""

from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr

from core.settings import Settings, variables
from core.settings.area import Variable, field_at
from core.settings.env_file import written

# how the clips are made and what their makers may use
_AREAS = frozenset({"requests", "media", "quota", "queue", "worker", "delivery", "retention"})
ALWAYS = ("model_profile", "vram")  # written even where they are the default
_MORE = frozenset(
    {
        *ALWAYS,
        *("studio_guest_minutes", "studio_network_minutes", "studio_member_minutes"),
        *("studio_pro_minutes", "studio_sessions", "studio_tier", "studio_mcp"),
        "studio_concurrent",
        "accelerate",
        "fast",
        *("studio_hf_accounts", "studio_sign_in_hours"),  # a closed Studio stays closed
    }
)
_HEAD = """\
# Settings of this Space, as they were where it was built. A variable of the Space with the same
# name wins: Settings, “Variables and secrets”. All names and ranges: docs/operator.md of the code.
"""


def carried(settings: Settings) -> dict[str, Any]:
    """Return what goes with the folder, by flat name: what differs from the default, and more."""
    usual, values = Settings().values(), settings.values()
    return {
        name: values[name]
        for name, variable in variables(Settings).items()
        if goes(name, variable) and (name in ALWAYS or values[name] != usual[name])
    }


def left_behind(settings: Settings) -> list[str]:
    """Return the variables that differ from the default and stay here: the Space needs its own."""
    usual, values = Settings().values(), settings.values()
    return [
        variable.names[0]
        for name, variable in variables(Settings).items()
        if not goes(name, variable) and values[name] != usual[name]
    ]


def settings_file(settings: Settings) -> str:
    """Return the file's text, ``NAME=value`` a line, as :mod:`core.settings.env_file` reads it."""
    names = {name: variable.names[0] for name, variable in variables(Settings).items()}
    lines = [f"{names[name]}={_text(value)}" for name, value in carried(settings).items()]
    return _HEAD + "\n".join([*lines, ""])


def goes(name: str, variable: Variable) -> bool:
    """Return whether the setting ``name`` is one that a Space takes from its builder."""
    chosen = len(variable.path) > 1 and variable.path[0] in _AREAS
    return (chosen or name in _MORE) and not _private(variable)


def _private(variable: Variable) -> bool:
    """Return whether the value is a secret or a path of this machine."""
    kind = field_at(Settings, variable.path).annotation
    return bool({SecretStr, Path} & {kind, *get_args(kind)})


def _text(value: object) -> str:
    return written(str(value).lower() if isinstance(value, bool) else str(value))
