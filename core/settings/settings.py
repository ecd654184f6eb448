"""All settings in one record, an area each."""

from pathlib import Path
from typing import Any, Literal, cast

from pydantic import SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.runtime.paths import Place, SecretAddress, address_of
from core.runtime.program_files import (
    CUSTOM_WORKFLOWS,
    DATA_FOLDER,
    SETTINGS_FOLDER,
)
from core.settings.area import variables
from core.settings.artefacts import ArtefactSettings
from core.settings.bots import DiscordSettings, TelegramSettings
from core.settings.credentials import CredentialSettings
from core.settings.engine import ComfySettings, ModelSettings
from core.settings.gate import GateSettings
from core.settings.health import AlertSettings, HealthSettings
from core.settings.kinds import clean_text
from core.settings.node import NodeSettings
from core.settings.requests import MediaSettings, RequestSettings
from core.settings.scaling import ScalingSettings
from core.settings.service import (
    DeliverySettings,
    LogSettings,
    MetricsSettings,
    PeopleSettings,
    QueueSettings,
    QuotaSettings,
    RetentionSettings,
    WorkerSettings,
)
from core.settings.studio import SignInSettings, SpaceSettings, StudioSettings

DATABASE_NAME = "clapper.sqlite"  # in the data directory


class Settings(BaseSettings):
    """All settings. :mod:`core.settings.loading` reads them.

    What is set to nothing counts as not set: templates of .env and compose files hold such lines.
    """

    model_config = SettingsConfigDict(
        env_file=SETTINGS_FOLDER / ".env",  # see core.settings.env_file
        extra="forbid",
        frozen=True,
    )

    data_dir: Place = DATA_FOLDER
    database_url: SecretAddress = SecretStr("")  # empty: sqlite in data_dir; may hold a password
    database_insecure: bool = False  # a server on another machine is reached without encryption
    workflows_dir: Place = CUSTOM_WORKFLOWS  # `clapper workflow adopt`
    executor: Literal["auto", "comfy", "draft"] = "auto"

    log: LogSettings = LogSettings()
    requests: RequestSettings = RequestSettings()
    media: MediaSettings = MediaSettings()
    quota: QuotaSettings = QuotaSettings()
    queue: QueueSettings = QueueSettings()
    worker: WorkerSettings = WorkerSettings()
    node: NodeSettings = NodeSettings()
    delivery: DeliverySettings = DeliverySettings()
    retention: RetentionSettings = RetentionSettings()
    artefacts: ArtefactSettings = ArtefactSettings()
    people: PeopleSettings = PeopleSettings()
    metrics: MetricsSettings = MetricsSettings()
    health: HealthSettings = HealthSettings()
    credentials: CredentialSettings = CredentialSettings()
    gate: GateSettings = GateSettings()
    alerts: AlertSettings = AlertSettings()
    scaling: ScalingSettings = ScalingSettings()
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
        """Take what is given: the sources of the library know no areas."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator(
        "data_dir", "database_url", "database_insecure", "workflows_dir", "executor", mode="before"
    )
    @classmethod
    def _clean(cls, value: object) -> object:
        return clean_text(value)

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
        """Return the database address in force; it may hold a password, so it is never shown."""
        return self.database_url.get_secret_value() or address_of(self.data_dir / DATABASE_NAME)

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


def _without_blanks(values: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            kept[name] = _without_blanks(cast("dict[str, Any]", value))
        elif not (isinstance(value, str) and not value.strip()):
            kept[name] = value
    return kept
