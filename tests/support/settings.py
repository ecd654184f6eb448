"""Settings of a test with some values changed."""

from typing import Any

from pydantic import SecretStr

from core.settings import Settings, variables
from core.settings.area import field_at
from core.settings.problems import is_secret


def changed(settings: Settings, **values: Any) -> Settings:
    """Copy ``settings`` with other values, by their flat names; no range is checked.

    Raises:
        KeyError: no setting has one of the names.
    """
    known = variables(Settings)
    for name, value in values.items():
        *areas, field = known[name].path
        secret = isinstance(value, str) and is_secret(field_at(Settings, known[name].path))
        update: dict[str, Any] = {field: SecretStr(value) if secret else value}
        for area in areas:
            update = {area: getattr(settings, area).model_copy(update=update)}
        settings = settings.model_copy(update=update)
    return settings
