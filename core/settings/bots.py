"""The bots: Discord and Telegram."""

from pydantic import Field, SecretStr

from core.settings.area import Area, parts
from core.settings.kinds import Numbers, SocketAddress, WebAddress


class DiscordSettings(Area):
    """Discord; no token: no bot."""

    prefix = "CLAPPER_DISCORD_"

    token: SecretStr | None = None
    api_url: WebAddress = ""  # empty: Discord itself; else e.g. a proxy's …/api/v10
    gateway_url: SocketAddress = ""
    # sync commands to this guild at once, for development
    guild_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    operator_roles: Numbers = ""  # role ids, comma separated
    edit_s: float = Field(default=2.0, ge=0.01, le=600)  # between two progress edits in a channel

    def roles(self) -> frozenset[str]:
        """Return the ids of the roles whose members are operators."""
        return parts(self.operator_roles)


class TelegramSettings(Area):
    """Telegram; no token: no bot."""

    prefix = "CLAPPER_TELEGRAM_"

    token: SecretStr | None = None
    api_url: WebAddress = ""  # root to which /bot<token>/<method> is appended; empty: the cloud
    file_url: WebAddress = ""  # root to which /bot<token>/<path> is appended; empty: api/file
    local: bool = False  # the Bot API server runs with --local beside us
    webhook_url: WebAddress = ""  # public https address; empty: polling
    webhook_port: int = Field(default=8443, ge=1, le=65535)  # on loopback, behind your proxy
    webhook_secret: SecretStr | None = None
    private_edit_s: float = Field(
        default=3.0, ge=0.01, le=600
    )  # seconds between two edits in a chat
    group_edit_s: float = Field(default=8.0, ge=0.01, le=600)  # in a group, shared by all its jobs
    album_s: float = Field(default=1.0, ge=0.01, le=60)  # how long the parts of an album may take
