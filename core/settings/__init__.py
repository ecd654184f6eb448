"""The only reader of the environment: every variable, its default and its range, area by area.

Belongs here: what an operator may set; it is read once, at the start of the process, and passed
down. Never here: what follows from a value in a part of the program (:mod:`core.app.rules`).
"""

from core.runtime.program_files import PROJECT_ROOT
from core.settings.area import variables
from core.settings.env_file import SPACE_SETTINGS, use_env_file, use_settings_of
from core.settings.loading import (
    NameFindings,
    SettingInForce,
    SettingOrigin,
    load_settings,
    look_at_names,
    settings_in_force,
)
from core.settings.settings import DATABASE_NAME, Settings

__all__ = [
    "DATABASE_NAME",
    "PROJECT_ROOT",
    "SPACE_SETTINGS",
    "NameFindings",
    "SettingInForce",
    "SettingOrigin",
    "Settings",
    "load_settings",
    "look_at_names",
    "settings_in_force",
    "use_env_file",
    "use_settings_of",
    "variables",
]
