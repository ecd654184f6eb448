"""All settings in one record, an area each, and how they are read."""

from pathlib import Path
from typing import Any, Literal, cast

from pydantic import ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.errors.setup import BadConfiguration
from core.runtime.paths import Address, Place, address_of
from core.settings.area import PREFIX, nested, variables
from core.settings.bots import DiscordSettings, TelegramSettings
from core.settings.engine import ComfySettings, ModelSettings
from core.settings.health import AlertSettings, HealthSettings
from core.settings.requests import MediaSettings, RequestSettings
from core.settings.service import (
    DeliverySettings,
    MetricsSettings,
    PeopleSettings,
    QueueSettings,
    QuotaSettings,
    RetentionSettings,
    WorkerSettings,
)
from core.settings.studio import SignInSettings, SpaceSettings, StudioSettings

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DATABASE_NAME = "clapper.sqlite"  # in the data directory


class Settings(BaseSettings):
    """All settings. Each is read from a variable of the environment (or a ``.env`` file).

    A variable that is set to nothing counts as one that is not set.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # templates of .env and compose files hold lines without a value
        extra="forbid",
        frozen=True,
    )

    data_dir: Place = PROJECT_ROOT / "data"
    database_url: Address = ""  # empty: sqlite in data_dir
    workflows_dir: Place = PROJECT_ROOT / "workflows" / "custom"  # `clapper workflow adopt`
    executor: Literal["auto", "comfy", "draft"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    requests: RequestSettings = RequestSettings()
    media: MediaSettings = MediaSettings()
    quota: QuotaSettings = QuotaSettings()
    queue: QueueSettings = QueueSettings()
    worker: WorkerSettings = WorkerSettings()
    delivery: DeliverySettings = DeliverySettings()
    retention: RetentionSettings = RetentionSettings()
    people: PeopleSettings = PeopleSettings()
    metrics: MetricsSettings = MetricsSettings()
    health: HealthSettings = HealthSettings()
    alerts: AlertSettings = AlertSettings()
    comfy: ComfySettings = ComfySettings()
    models: ModelSettings = ModelSettings()
    discord: DiscordSettings = DiscordSettings()
    telegram: TelegramSettings = TelegramSettings()
    studio: StudioSettings = StudioSettings()
    sign_in: SignInSettings = SignInSettings()
    space: SpaceSettings = SpaceSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given, then the variables by their own names."""
        del env_settings, dotenv_settings, file_secret_settings  # they know no areas
        return init_settings, _Variables(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Leave out what holds nothing but blanks, however it was given."""
        return _without_blanks(values)

    def values(self) -> dict[str, Any]:
        """Return every value by its flat name, as :func:`load_settings` takes them."""
        found: dict[str, Any] = {}
        for name, variable in variables(type(self)).items():
            value: Any = self
            for step in variable.path:
                value = getattr(value, step)
            found[name] = value
        return found

    @property
    def database(self) -> str:
        """Return the database address in force."""
        return self.database_url or address_of(self.data_dir / DATABASE_NAME)

    @property
    def media_folder(self) -> Path:
        """Return where admitted inputs lie, named by their content."""
        return self.data_dir / "media"

    @property
    def uploads_folder(self) -> Path:
        """Return where files lie as they were sent to the Studio (core.accounts.file_ownership)."""
        return self.data_dir.absolute() / "studio"

    @property
    def models_folder(self) -> Path:
        """Return the models folder in force; ComfyUI looks into it, and it holds links."""
        return self.models.dir or self.data_dir / "models"

    @property
    def clips_folder(self) -> Path:
        """Return where finished clips lie."""
        return self.data_dir / "clips"

    @property
    def comfy_folder(self) -> Path:
        """Return ComfyUI's own inputs, outputs and temporary files, and latents of drafts."""
        return self.data_dir / "comfyui"

    @property
    def latents_folder(self) -> Path:
        """Return what drafts leave for their quality pass, named by :mod:`core.domain.requests`."""
        return self.comfy_folder / "latents"

    @property
    def on_space(self) -> bool:
        """Return whether this process runs as a Hugging Face Space."""
        return bool(self.space.id)

    @property
    def work_folder(self) -> Path:
        """Return where running attempts keep their files; their leftovers go at every start."""
        return self.data_dir / "work"


class _Variables(PydanticBaseSettingsSource):
    """The variables of the environment, else of the ``.env`` file, sorted into the areas."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give nothing: a field is an area here, and :meth:`__call__` gives all of them."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return what is set."""
        environment = EnvSettingsSource(self.settings_cls).env_vars
        file = DotEnvSettingsSource(self.settings_cls).env_vars
        known = variables(self.settings_cls)
        found: dict[str, Any] = {}
        for flat_name, variable in known.items():
            names = [name.lower() for name in variable.names]
            given = [held[name] for held in (environment, file) for name in names if name in held]
            if given:
                found[flat_name] = given[0]
        return nested(known, found)


def _without_blanks(values: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            kept[name] = _without_blanks(cast("dict[str, Any]", value))
        elif not (isinstance(value, str) and not value.strip()):
            kept[name] = value
    return kept


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Args:
        overrides: values that win over the environment (tests, command-line flags). Each has the
            name of its variable in lower case without the prefix, e.g. ``studio_port``.

    Returns:
        The frozen settings.

    Raises:
        BadConfiguration: a value has the wrong type or lies outside its range.
        TypeError: no setting has the name of an override.
    """
    known = variables(Settings)
    try:
        return Settings(**nested(known, overrides))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadConfiguration(_variable_at(first["loc"]), first["msg"]) from None


def _variable_at(location: tuple[int | str, ...]) -> str:
    """Return the variable of the value at ``location``, which may lead further into it."""
    for variable in variables(Settings).values():
        if location[: len(variable.path)] == variable.path:
            return variable.names[0]
    return PREFIX + "_".join(str(part) for part in location).upper()
