"""The Studio: the web page, its API, signing in, and the Space."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core.runtime.paths import Place
from core.settings.area import Area, ReadFrom, parts
from core.settings.kinds import ListeningHost, WebAddress
from core.settings.service import MOST_MINUTES, YEAR_HOURS


class StudioSettings(Area):
    """The web page and its API."""

    prefix = "CLAPPER_STUDIO_"

    enabled: Annotated[bool, ReadFrom("CLAPPER_STUDIO")] = True  # False: no web page
    url: WebAddress = ""  # where people reach the Studio, for links to originals
    host: ListeningHost = "127.0.0.1"  # loopback; "0.0.0.0" opens it to the network
    hosts: str = ""  # names by which people reach it, comma separated; see webui/auth/origin.py
    port: int = Field(default=7860, ge=0, le=65535)  # 0: any free port
    # signs cookies and names networks; nodes that serve one page need the same. Empty: a file in
    # the data directory
    key: SecretStr | None = Field(default=None, min_length=32)
    users: Place | None = None  # who may log in: `python -m webui.auth.user_file FILE NAME`
    # GPU-minutes in a window, of visitors from elsewhere without an account
    # of all of them together
    guest_minutes: float = Field(default=20.0, ge=0, le=MOST_MINUTES)
    # of those of one network, IPv4 /32, IPv6 /64
    network_minutes: float = Field(default=5.0, ge=0, le=MOST_MINUTES)
    # the same of people who signed in with Hugging Face; empty: the usual
    member_minutes: float | None = Field(default=None, ge=0, le=MOST_MINUTES)
    # who pays there; empty: as members
    pro_minutes: float | None = Field(default=None, ge=0, le=MOST_MINUTES)
    # events of the page that may wait at a time
    sessions: int = Field(default=200, ge=1, le=100_000)
    # of all visitors of a Space to the lender of its GPUs; empty: what their sign-in says
    tier: Literal["anonymous", "free", "pro", "team", "enterprise"] | None = None
    # clips that a Space makes side by side, each on a GPU that is borrowed for its visitor
    concurrent: int = Field(default=4, ge=1, le=32)
    # messages to programs may also go to this machine, and there without https
    webhook_loopback: bool = False
    mcp: bool = False  # also offer the API as tools of a model context protocol server

    @property
    def reached_at(self) -> str:
        """Return where people reach the Studio; empty where there is none, or nobody said."""
        return self.url if self.enabled else ""


class SignInSettings(Area):
    """Signing in with Hugging Face: your own app there; on a Space the platform sets it."""

    prefix = "CLAPPER_STUDIO_"

    client_id: Annotated[str, ReadFrom("CLAPPER_STUDIO_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID")] = ""
    client_secret: Annotated[
        SecretStr | None, ReadFrom("CLAPPER_STUDIO_OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET")
    ] = None
    scopes: Annotated[str, ReadFrom("CLAPPER_STUDIO_OAUTH_SCOPES", "OAUTH_SCOPES")] = (
        "openid profile"
    )
    provider: Annotated[
        WebAddress, ReadFrom("CLAPPER_STUDIO_OAUTH_PROVIDER", "OPENID_PROVIDER_URL")
    ] = "https://huggingface.co"
    hf_accounts: str = ""  # names, organisations or id:…; only they enter, no guests
    # until people sign in again
    hours: Annotated[float, ReadFrom("CLAPPER_STUDIO_SIGN_IN_HOURS")] = Field(
        default=168, ge=0.01, le=YEAR_HOURS
    )

    def accounts(self) -> frozenset[str]:
        """Return which accounts and organisations of Hugging Face may enter; empty: any."""
        return parts(self.hf_accounts.lower())


class SpaceSettings(Area):
    """What Hugging Face sets on a Space."""

    id: Annotated[str, ReadFrom("SPACE_ID", "CLAPPER_SPACE_ID")] = ""
    host: Annotated[str, ReadFrom("SPACE_HOST", "CLAPPER_SPACE_HOST")] = ""  # several: commas
