"""What was answered, and the settings that it makes."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from core.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Answers:
    """What a service is set up with; None: not asked for, the default holds."""

    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None
    operators: tuple[str, ...] = ()  # accounts, ``platform:id``
    allowed: str | None = None  # who may use the bots
    model_profile: str | None = None
    data_dir: Path | None = None

    def variables(self) -> dict[str, str | SecretStr]:
        """Return what is set, by the names of the variables without their prefix."""
        found: dict[str, str | SecretStr | None] = {
            "DISCORD_TOKEN": self.discord_token,
            "TELEGRAM_TOKEN": self.telegram_token,
            "OPERATORS": ",".join(self.operators) or None,
            "ALLOWED": self.allowed,
            "MODEL_PROFILE": self.model_profile,
            "DATA_DIR": None if self.data_dir is None else str(self.data_dir),
        }
        return {name: value for name, value in found.items() if value is not None}

    def settings(self) -> Settings:
        """Return the settings that would hold.

        Raises:
            BadSettings: an answer, or what is set elsewhere, cannot be used.
        """
        return load_settings(**{name.lower(): value for name, value in self.variables().items()})
