"""Who may sign in, and by which way, as the settings say; nothing is written here."""

from core.errors.setup import BadConfiguration
from core.i18n.messages import say
from core.settings import Settings
from webui.auth import hugging_face as hf
from webui.auth.user_file import UserFile


def sign_in_sources(settings: Settings) -> tuple[UserFile | None, hf.OAuthApp | None]:
    """Return who may sign in by which way; writes nothing.

    Raises:
        BadConfiguration: half of the app is missing, nobody could get in, or everybody.
    """
    users = UserFile.load(settings.studio.users) if settings.studio.users else None
    app = _app(settings)
    if settings.sign_in.accounts() and app is None:
        raise BadConfiguration("CLAPPER_STUDIO_HF_ACCOUNTS", say("studio_accounts_no_app"))
    if users is not None and app is not None and not app.accounts:
        raise BadConfiguration("CLAPPER_STUDIO_HF_ACCOUNTS", say("studio_accounts_needed"))
    return users, app


def _app(settings: Settings) -> hf.OAuthApp | None:
    secret = settings.sign_in.client_secret
    if not settings.sign_in.client_id and secret is None:
        return None
    if not settings.sign_in.client_id or secret is None:
        missing = "SECRET" if secret is None else "ID"
        name = f"CLAPPER_STUDIO_OAUTH_CLIENT_{missing}"
        raise BadConfiguration(name, say("studio_oauth_half"))
    return hf.OAuthApp(
        settings.sign_in.client_id,
        secret.get_secret_value(),
        settings.sign_in.provider,
        settings.sign_in.scopes,
        settings.sign_in.hours,
        settings.sign_in.accounts(),
    )
