"""The only reader of the environment: every ``CLAPPER_…`` variable, its default and its range.

Built once, at the start of the process, and passed down in the pieces that each part needs.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.domain.limits import MEGABYTE, MediaLimits, RequestLimits
from core.errors.setup import BadConfiguration
from core.runtime.paths import Address, Place, address_of

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DATABASE_NAME = "clapper.sqlite"  # in the data directory


class Settings(BaseSettings):
    """All settings. A field ``x_y`` is read from ``CLAPPER_X_Y`` (or a ``.env`` file).

    A variable that is set to nothing counts as one that is not set.
    """

    model_config = SettingsConfigDict(
        env_prefix="CLAPPER_",
        env_file=".env",
        env_ignore_empty=True,  # templates of .env and compose files hold lines without a value
        extra="ignore",
        frozen=True,
        populate_by_name=True,  # fields with aliases keep their name for load_settings(...)
    )

    data_dir: Place = PROJECT_ROOT / "data"
    database_url: Address = ""  # empty: sqlite in data_dir
    executor: Literal["auto", "comfy", "draft"] = "auto"
    metrics_token: SecretStr | None = Field(None, min_length=16)  # asked for by /metrics
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    prompt_characters: int = Field(2000, ge=1, le=10_000)
    min_seconds: float = Field(1.0, ge=0.5, le=60)
    max_seconds: float = Field(20.0, ge=1, le=60)
    min_side: int = Field(256, ge=64)  # px
    max_side: int = Field(1920, ge=256)  # px
    max_megapixels: float = Field(2.1, gt=0)
    min_fps: int = Field(8, ge=1)
    max_fps: int = Field(30, ge=8, le=60)
    default_fps: int = Field(24, ge=8, le=60)
    default_seconds: float = Field(5.0, ge=0.5, le=60)
    image_megabytes: float = Field(20, gt=0)  # decimal
    image_megapixels: float = Field(24, gt=0)
    media_megabytes: float = Field(50, gt=0)
    media_seconds: float = Field(60, gt=0)

    quota_minutes: float = Field(20.0, ge=0)  # GPU-minutes a requester may use in a window
    quota_window_hours: float = Field(24.0, gt=0)  # begins with the first use
    shares: str = ""  # of the device, percent, e.g. "operators=200, role:42=150, studio=50"
    max_queued: int = Field(5, ge=1)  # waiting jobs a requester
    max_running: int = Field(1, ge=1)  # running jobs a requester
    max_attempts: int = Field(3, ge=1)
    job_timeout_s: float = Field(1800, gt=0)  # one attempt
    wait_limit_hours: float = Field(24, gt=0)  # a job waiting longer expires
    lease_s: float = Field(30, gt=1)  # a running job without heartbeat for so long is lost
    heartbeat_s: float = Field(5, gt=0)
    retention_days: float = Field(14, gt=0)  # clips and inputs are kept so long
    min_free_megabytes: float = Field(500, ge=0)  # intake closes below
    prompt_in_metadata: bool = False  # write the prompt into the clip's provenance

    # ComfyUI: core/comfy and `clapper comfy`
    comfyui_dir: Place | None = None  # its checkout; empty: core/comfy/paths.py decides
    comfyui_packs: bool = False  # load the node packs too, for a workflow of your own
    vram: Literal["auto", "high", "normal", "low"] = "auto"  # how models share the GPU's memory
    torch_index: str = ""  # package index to take torch from, e.g. one of CPU builds
    space_id: str = Field("", validation_alias="space_id")  # set by Hugging Face on a Space
    space_host: str = Field("", validation_alias="space_host")  # the same; several with a comma

    # workflows of your own: `clapper workflow adopt`
    workflows_dir: Place = PROJECT_ROOT / "workflows" / "custom"

    # people: requester keys, comma separated, e.g. "discord:123,telegram:456"
    operators: str = ""
    studio_url: str = ""  # where people reach the Studio, for links to originals

    # Discord
    discord_token: SecretStr | None = None
    discord_api_url: str = ""  # empty: Discord itself; else e.g. a proxy's …/api/v10
    discord_gateway_url: str = ""
    discord_guild_id: int | None = None  # sync commands to this guild at once, for development
    discord_operator_roles: str = ""  # role ids, comma separated
    discord_edit_s: float = Field(2.0, gt=0)  # seconds between two progress edits in a channel

    # model files: core/models and `clapper models`
    model_profile: Literal["bf16", "fp8", "low"] = "fp8"  # 96 GB; 32 to 48 GB; 16 to 24 GB
    models_dir: Place | None = None  # ComfyUI's models folder; empty: models in data_dir
    hub_cache: Place | None = None  # empty: huggingface_hub's own cache
    hub_preloaded: Place | None = None  # a hub cache only read, e.g. one in an image
    hub_endpoint: str = Field(
        "https://huggingface.co",
        validation_alias=AliasChoices("clapper_hub_endpoint", "hf_endpoint"),
    )
    hf_token: SecretStr | None = Field(
        None, validation_alias=AliasChoices("clapper_hf_token", "hf_token")
    )
    accept_model_licences: bool = False  # for machines without a terminal; the operator read them

    # The running service: worker and deliveries
    shutdown_grace_s: float = Field(20, ge=0)  # a running job may still finish after a stop
    delivery_attempts: int = Field(60, ge=1)  # about half a day with the waits between them
    delivery_timeout_s: float = Field(300, gt=0)  # one attempt, upload included
    progress_every_s: float = Field(1.0, gt=0)  # per job; platforms may show it less often

    # Studio: the web page, its API and the Space
    studio: bool = True  # False: no web page
    studio_host: str = "127.0.0.1"  # loopback; "0.0.0.0" opens it to the network
    studio_hosts: str = (
        ""  # names by which people reach it, comma separated; see webui/auth/origin.py
    )
    studio_port: int = Field(7860, ge=0, le=65535)  # 0: any free port
    studio_users: Place | None = None  # who may log in: `python -m webui.auth.user_file FILE NAME`
    # GPU-minutes in a window, of visitors from elsewhere without an account
    studio_guest_minutes: float = Field(20.0, ge=0)  # of all of them together
    studio_network_minutes: float = Field(5.0, ge=0)  # of those of one network, IPv4 /32, IPv6 /64
    # signing in with Hugging Face: your own app there; on a Space the platform sets all four
    studio_oauth_client_id: str = Field(
        "", validation_alias=AliasChoices("clapper_studio_oauth_client_id", "oauth_client_id")
    )
    studio_oauth_client_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("clapper_studio_oauth_client_secret", "oauth_client_secret"),
    )
    studio_oauth_scopes: str = Field(
        "openid profile",
        validation_alias=AliasChoices("clapper_studio_oauth_scopes", "oauth_scopes"),
    )
    studio_oauth_provider: str = Field(
        "https://huggingface.co",
        validation_alias=AliasChoices("clapper_studio_oauth_provider", "openid_provider_url"),
    )
    studio_hf_accounts: str = ""  # names, organisations or id:…; only they enter, no guests
    studio_member_minutes: float | None = Field(None, ge=0)  # of who signed in; empty: the usual
    studio_pro_minutes: float | None = Field(None, ge=0)  # who pays there; empty: as members
    studio_sign_in_hours: float = Field(168, gt=0)  # until people sign in again
    studio_sessions: int = Field(200, ge=1)  # events of the page that may wait at a time
    # of a Space's visitors
    studio_tier: Literal["anonymous", "free", "pro", "team", "enterprise"] = "pro"
    studio_mcp: bool = False  # also offer the API as tools of a model context protocol server

    # Telegram
    telegram_token: SecretStr | None = None
    telegram_api_url: str = ""  # root to which /bot<token>/<method> is appended; empty: the cloud
    telegram_file_url: str = ""  # root to which /bot<token>/<path> is appended; empty: api/file
    telegram_local: bool = False  # the Bot API server runs with --local beside us
    telegram_webhook_url: str = ""  # public https address; empty: polling
    telegram_webhook_port: int = Field(8443, ge=1, le=65535)  # on loopback, behind your proxy
    telegram_webhook_secret: SecretStr | None = None
    telegram_private_edit_s: float = Field(3.0, gt=0)  # seconds between two edits in a chat
    telegram_group_edit_s: float = Field(8.0, gt=0)  # in a group, shared by all its jobs
    telegram_album_s: float = Field(1.0, gt=0)  # how long the parts of an album may take

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Leave out what holds nothing but blanks, however it was given."""
        return {
            name: value
            for name, value in values.items()
            if not (isinstance(value, str) and not value.strip())
        }

    def request_limits(self) -> RequestLimits:
        """Return the ranges of a request's values."""
        return RequestLimits(
            prompt_characters=self.prompt_characters,
            min_seconds=self.min_seconds,
            max_seconds=self.max_seconds,
            min_side=self.min_side,
            max_side=self.max_side,
            max_pixels=round(self.max_megapixels * 1_000_000),
            min_fps=self.min_fps,
            max_fps=self.max_fps,
            default_fps=self.default_fps,
            default_seconds=self.default_seconds,
        )

    def media_limits(self) -> MediaLimits:
        """Return the ranges of an uploaded file."""
        return MediaLimits(
            image_bytes=round(self.image_megabytes * MEGABYTE),
            image_pixels=round(self.image_megapixels * 1_000_000),
            stream_bytes=round(self.media_megabytes * MEGABYTE),
            stream_seconds=self.media_seconds,
        )

    def operator_keys(self) -> frozenset[str]:
        """Return the requester keys of the operators."""
        return _parts(self.operators)

    def discord_roles(self) -> frozenset[str]:
        """Return the ids of the Discord roles whose members are operators."""
        return _parts(self.discord_operator_roles)

    def hf_accounts(self) -> frozenset[str]:
        """Return which accounts and organisations of Hugging Face may enter; empty: any."""
        return _parts(self.studio_hf_accounts.lower())

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
        return self.models_dir or self.data_dir / "models"

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
        return bool(self.space_id)

    @property
    def work_folder(self) -> Path:
        """Return where running attempts keep their files; their leftovers go at every start."""
        return self.data_dir / "work"


def _parts(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def load_settings(**overrides: object) -> Settings:
    """Return the settings from the environment.

    Args:
        overrides: values that win over the environment (tests, command-line flags).

    Returns:
        The frozen settings.

    Raises:
        BadConfiguration: a value has the wrong type or lies outside its range.
    """
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]  # pydantic checks them
    except ValidationError as error:
        first = error.errors()[0]
        name = "CLAPPER_" + "_".join(str(part) for part in first["loc"]).upper()
        raise BadConfiguration(name, first["msg"]) from None


def hand_on(name: str, value: str) -> None:
    """Set the variable ``name`` for a library that reads nothing else."""
    os.environ[name] = value
