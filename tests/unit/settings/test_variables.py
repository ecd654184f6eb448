"""The names that operators know: each variable is read, and nothing is read but these."""

from functools import reduce

import pytest
from pydantic import SecretStr

from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import Settings, load_settings, variables

VARIABLES = [
    ("CLAPPER_DATA_DIR", "data_dir", "/srv/data_dir"),
    ("CLAPPER_DATABASE_URL", "database_url", "sqlite+aiosqlite:////srv/rows.sqlite"),
    ("CLAPPER_DATABASE_INSECURE", "database_insecure", "true"),
    ("CLAPPER_EXECUTOR", "executor", "draft"),
    ("CLAPPER_METRICS_TOKEN", "metrics.token", "secret-of-sixteen-characters"),
    ("CLAPPER_HEALTH_PORT", "health.port", "8"),
    ("CLAPPER_HEALTH_HOST", "health.host", "words-of-health_host"),
    ("CLAPPER_HEALTH_QUEUE_MINUTES", "health.queue_minutes", "7"),
    ("CLAPPER_HEALTH_DELIVERY_MINUTES", "health.delivery_minutes", "7"),
    ("CLAPPER_C2PA_CERTIFICATE", "credentials.certificate", "/srv/c2pa_certificate"),
    ("CLAPPER_C2PA_KEY", "credentials.key", "/srv/c2pa_key"),
    ("CLAPPER_GATE_PORT", "gate.port", "9"),
    ("CLAPPER_GATE_HOST", "gate.host", "words-of-gate_host"),
    ("CLAPPER_GATE_CERTIFICATE", "gate.certificate", "/srv/gate_certificate"),
    ("CLAPPER_GATE_CERTIFICATE_KEY", "gate.certificate_key", "/srv/gate_certificate_key"),
    ("CLAPPER_GATE_URL", "gate.url", "https://gate.example"),
    ("CLAPPER_GATE_AUTHORITY", "gate.authority", "/srv/gate_authority"),
    ("CLAPPER_GATE_TOKEN", "gate.token", "secret-of-gate_token"),
    ("CLAPPER_ALERTS", "alerts.enabled", "false"),
    ("CLAPPER_SCALE_WAIT_S", "scaling.wait_s", "120"),
    ("CLAPPER_SCALE_FLOOR", "scaling.floor", "2"),
    ("CLAPPER_SCALE_CEILING", "scaling.ceiling", "12"),
    ("CLAPPER_RESTARTS", "alerts.restarts", "7"),
    ("CLAPPER_LOG_LEVEL", "log.level", "debug"),
    ("CLAPPER_LOG_FORMAT", "log.format", "json"),
    ("CLAPPER_LOG_FILE", "log.file", "/srv/log_file"),
    ("CLAPPER_LOG_FILE_MEGABYTES", "log.file_megabytes", "7"),
    ("CLAPPER_LOG_FILES", "log.files", "7"),
    ("CLAPPER_PROMPT_CHARACTERS", "requests.prompt_characters", "7"),
    ("CLAPPER_MIN_SECONDS", "requests.min_seconds", "3"),
    ("CLAPPER_MAX_SECONDS", "requests.max_seconds", "7"),
    ("CLAPPER_MAX_FILM_SECONDS", "requests.max_film_seconds", "90"),
    ("CLAPPER_MIN_SIDE", "requests.min_side", "400"),
    ("CLAPPER_MAX_SIDE", "requests.max_side", "448"),
    ("CLAPPER_MAX_MEGAPIXELS", "requests.max_megapixels", "7"),
    ("CLAPPER_MIN_FPS", "requests.min_fps", "7"),
    ("CLAPPER_MAX_FPS", "requests.max_fps", "29"),
    ("CLAPPER_DEFAULT_FPS", "requests.default_fps", "9"),
    ("CLAPPER_DEFAULT_SECONDS", "requests.default_seconds", "7"),
    ("CLAPPER_IMAGE_MEGABYTES", "media.image_megabytes", "7"),
    ("CLAPPER_IMAGE_MEGAPIXELS", "media.image_megapixels", "7"),
    ("CLAPPER_MEDIA_MEGABYTES", "media.stream_megabytes", "7"),
    ("CLAPPER_MEDIA_SECONDS", "media.stream_seconds", "7"),
    ("CLAPPER_QUOTA_MINUTES", "quota.minutes", "7"),
    ("CLAPPER_QUOTA_WINDOW_HOURS", "quota.window_hours", "7"),
    ("CLAPPER_QUOTA_ROLES", "quota.roles", "role:42=60"),
    ("CLAPPER_QUOTA_PLACES", "quota.places", "discord:7=60"),
    ("CLAPPER_ALLOWED", "people.allowed", "discord:user:1"),
    ("CLAPPER_PLACE_MINUTES", "quota.place_minutes", "7"),
    ("CLAPPER_SHARES", "queue.shares", "words-of-shares"),
    ("CLAPPER_MAX_QUEUED", "queue.max_queued", "7"),
    ("CLAPPER_MAX_RUNNING", "queue.max_running", "7"),
    ("CLAPPER_MAX_ATTEMPTS", "queue.max_attempts", "7"),
    ("CLAPPER_JOB_TIMEOUT_S", "worker.job_timeout_s", "7"),
    ("CLAPPER_WAIT_LIMIT_HOURS", "queue.wait_limit_hours", "7"),
    ("CLAPPER_LEASE_S", "queue.lease_s", "27"),
    ("CLAPPER_LEADER_S", "queue.leader_s", "7"),
    ("CLAPPER_HEARTBEAT_S", "worker.heartbeat_s", "7"),
    ("CLAPPER_RETENTION_DAYS", "retention.days", "7"),
    ("CLAPPER_AUDIT_DAYS", "retention.audit_days", "7"),
    ("CLAPPER_MIN_FREE_MEGABYTES", "retention.min_free_megabytes", "7"),
    ("CLAPPER_NODE", "node.name", "attic"),
    ("CLAPPER_POOL", "node.pool", "large"),
    ("CLAPPER_WORKER", "node.worker", "false"),
    ("CLAPPER_NOTICE_S", "node.notice_s", "7"),
    ("CLAPPER_ARTEFACTS", "artefacts.place", "s3://bucket/prefix"),
    ("CLAPPER_ARTEFACTS_SHARED", "artefacts.artefacts_shared", "true"),
    ("CLAPPER_S3_ENDPOINT", "artefacts.s3_endpoint", "https://s3_endpoint.example"),
    ("CLAPPER_S3_REGION", "artefacts.s3_region", "words-of-region"),
    ("CLAPPER_S3_ACCESS_KEY_ID", "artefacts.s3_access_key_id", "secret-of-sixteen-characters"),
    (
        "CLAPPER_S3_SECRET_ACCESS_KEY",
        "artefacts.s3_secret_access_key",
        "secret-of-sixteen-characters",
    ),
    ("CLAPPER_S3_PUBLIC", "artefacts.s3_public", "true"),
    ("CLAPPER_CACHE_GIGABYTES", "artefacts.cache_gigabytes", "7"),
    ("CLAPPER_PROMPT_IN_METADATA", "retention.prompt_in_metadata", "true"),
    ("CLAPPER_COMFYUI_DIR", "comfy.dir", "/srv/comfyui_dir"),
    ("CLAPPER_COMFYUI_PACKS", "comfy.packs", "true"),
    ("CLAPPER_VRAM", "comfy.vram", "low"),
    ("CLAPPER_COMFYUI_IMAGE_COMPRESSION", "comfy.image_compression", "18"),
    ("CLAPPER_ACCELERATE", "comfy.accelerate", "false"),
    ("CLAPPER_FAST", "comfy.fast", "true"),
    ("CLAPPER_TORCH_INDEX", "comfy.torch_index", "words-of-torch_index"),
    ("CLAPPER_SPACE_ID", "space.id", "words-of-space_id"),
    ("SPACE_ID", "space.id", "words-of-space_id"),
    ("CLAPPER_SPACE_HOST", "space.host", "words-of-space_host"),
    ("SPACE_HOST", "space.host", "words-of-space_host"),
    ("CLAPPER_WORKFLOWS_DIR", "workflows_dir", "/srv/workflows_dir"),
    ("CLAPPER_OPERATORS", "people.operators", "discord:7, studio:user-ada"),
    ("CLAPPER_STUDIO_URL", "studio.url", "https://studio_url.example"),
    ("CLAPPER_DISCORD_TOKEN", "discord.token", "secret-of-sixteen-characters"),
    ("CLAPPER_DISCORD_API_URL", "discord.api_url", "https://discord_api_url.example/api/v10"),
    ("CLAPPER_DISCORD_GATEWAY_URL", "discord.gateway_url", "wss://discord_gateway_url.example"),
    ("CLAPPER_DISCORD_GUILD_ID", "discord.guild_id", "7"),
    ("CLAPPER_DISCORD_OPERATOR_ROLES", "discord.operator_roles", "7, 8"),
    ("CLAPPER_DISCORD_EDIT_S", "discord.edit_s", "7"),
    ("CLAPPER_MODEL_PROFILE", "models.profile", "low"),
    ("CLAPPER_MODELS_DIR", "models.dir", "/srv/models_dir"),
    ("CLAPPER_HUB_CACHE", "models.hub_cache", "/srv/hub_cache"),
    ("CLAPPER_HUB_PRELOADED", "models.hub_preloaded", "/srv/hub_preloaded"),
    ("CLAPPER_HUB_ENDPOINT", "models.hub_endpoint", "https://hub_endpoint.example"),
    ("HF_ENDPOINT", "models.hub_endpoint", "https://hub_endpoint.example"),
    ("CLAPPER_HF_TOKEN", "models.hf_token", "secret-of-sixteen-characters"),
    ("HF_TOKEN", "models.hf_token", "secret-of-sixteen-characters"),
    ("CLAPPER_ACCEPT_MODEL_LICENCES", "models.accept_licences", "true"),
    ("CLAPPER_SHUTDOWN_GRACE_S", "worker.shutdown_grace_s", "7"),
    ("CLAPPER_ENCODE_TIMEOUT_S", "worker.encode_timeout_s", "7"),
    ("CLAPPER_PREVIEWS", "worker.previews", "false"),
    ("CLAPPER_SUPERVISE", "worker.supervise", "false"),
    ("CLAPPER_RESTARTS_AN_HOUR", "worker.restarts_an_hour", "7"),
    ("CLAPPER_DELIVERY_ATTEMPTS", "delivery.attempts", "7"),
    ("CLAPPER_DELIVERY_TIMEOUT_S", "delivery.timeout_s", "7"),
    ("CLAPPER_PROGRESS_EVERY_S", "delivery.progress_every_s", "7"),
    ("CLAPPER_STUDIO", "studio.enabled", "false"),
    ("CLAPPER_STUDIO_HOST", "studio.host", "words-of-studio_host"),
    ("CLAPPER_STUDIO_HOSTS", "studio.hosts", "words-of-studio_hosts"),
    ("CLAPPER_STUDIO_PORT", "studio.port", "7"),
    ("CLAPPER_STUDIO_KEY", "studio.key", "a-secret-of-more-than-thirty-two-characters"),
    ("CLAPPER_STUDIO_USERS", "studio.users", "/srv/studio_users"),
    ("CLAPPER_STUDIO_GUEST_MINUTES", "studio.guest_minutes", "7"),
    ("CLAPPER_STUDIO_NETWORK_MINUTES", "studio.network_minutes", "7"),
    ("CLAPPER_STUDIO_OAUTH_CLIENT_ID", "sign_in.client_id", "words-of-studio_oauth_client_id"),
    ("OAUTH_CLIENT_ID", "sign_in.client_id", "words-of-studio_oauth_client_id"),
    ("CLAPPER_STUDIO_OAUTH_CLIENT_SECRET", "sign_in.client_secret", "secret-of-sixteen-characters"),
    ("OAUTH_CLIENT_SECRET", "sign_in.client_secret", "secret-of-sixteen-characters"),
    ("CLAPPER_STUDIO_OAUTH_SCOPES", "sign_in.scopes", "words-of-studio_oauth_scopes"),
    ("OAUTH_SCOPES", "sign_in.scopes", "words-of-studio_oauth_scopes"),
    ("CLAPPER_STUDIO_OAUTH_PROVIDER", "sign_in.provider", "https://studio_oauth_provider.example"),
    ("OPENID_PROVIDER_URL", "sign_in.provider", "https://studio_oauth_provider.example"),
    ("CLAPPER_STUDIO_HF_ACCOUNTS", "sign_in.hf_accounts", "words-of-studio_hf_accounts"),
    ("CLAPPER_STUDIO_MEMBER_MINUTES", "studio.member_minutes", "7"),
    ("CLAPPER_STUDIO_PRO_MINUTES", "studio.pro_minutes", "7"),
    ("CLAPPER_STUDIO_SIGN_IN_HOURS", "sign_in.hours", "7"),
    ("CLAPPER_STUDIO_SESSIONS", "studio.sessions", "7"),
    ("CLAPPER_STUDIO_TIER", "studio.tier", "team"),
    ("CLAPPER_STUDIO_CONCURRENT", "studio.concurrent", "7"),
    ("CLAPPER_STUDIO_MCP", "studio.mcp", "true"),
    ("CLAPPER_STUDIO_WEBHOOK_LOOPBACK", "studio.webhook_loopback", "true"),
    ("CLAPPER_TELEGRAM_TOKEN", "telegram.token", "secret-of-sixteen-characters"),
    ("CLAPPER_TELEGRAM_API_URL", "telegram.api_url", "https://telegram_api_url.example"),
    ("CLAPPER_TELEGRAM_FILE_URL", "telegram.file_url", "https://telegram_file_url.example"),
    ("CLAPPER_TELEGRAM_LOCAL", "telegram.local", "true"),
    (
        "CLAPPER_TELEGRAM_WEBHOOK_URL",
        "telegram.webhook_url",
        "https://telegram_webhook_url.example",
    ),
    ("CLAPPER_TELEGRAM_WEBHOOK_PORT", "telegram.webhook_port", "7"),
    ("CLAPPER_TELEGRAM_WEBHOOK_SECRET", "telegram.webhook_secret", "secret-of-sixteen-characters"),
    ("CLAPPER_TELEGRAM_PRIVATE_EDIT_S", "telegram.private_edit_s", "7"),
    ("CLAPPER_TELEGRAM_GROUP_EDIT_S", "telegram.group_edit_s", "7"),
    ("CLAPPER_TELEGRAM_ALBUM_S", "telegram.album_s", "7"),
]


def value_at(settings: Settings, path: str) -> object:
    """The value at ``path``, in plain text where it is secret."""
    value = reduce(getattr, path.split("."), settings)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("name", "path", "text"), VARIABLES, ids=str)
def test_every_variable_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, path: str, text: str
) -> None:
    usual = load_settings()
    monkeypatch.setenv(name, text)

    settings = load_settings()

    assert value_at(settings, path) != value_at(usual, path)
    assert str(value_at(settings, path)).lower() in {text, f"{text}.0"}
    assert settings != usual
    changed = [key for key, value in settings.values().items() if value != usual.values()[key]]
    assert len(changed) == 1


def test_no_other_variable_is_read() -> None:
    read = [name for variable in variables(Settings).values() for name in variable.names]

    assert sorted(read) == sorted(name for name, _, _ in VARIABLES)


@pytest.mark.parametrize("name", ["max_queued", "studio_port", "model_profile", "data_dir"])
def test_an_override_wins_over_the_environment_and_leaves_its_neighbours(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable, _, text in VARIABLES:
        monkeypatch.setenv(variable, text)
    given = {"max_queued": 3, "studio_port": 0, "model_profile": "bf16", "data_dir": "/srv/mine"}
    before = load_settings().values()

    after = load_settings(**{name: given[name]}).values()

    assert str(after.pop(name)) == str(given[name]) != str(before.pop(name))
    assert after == before


def test_a_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    file = tmp_path / "lines"
    file.write_text(
        "CLAPPER_STUDIO_PORT=81\nclapper_studio_host=::1\nCLAPPER_HF_TOKEN=hf_file\nOTHER=1\n"
    )
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    monkeypatch.setenv("CLAPPER_STUDIO_PORT", "82")

    settings = load_settings()

    assert (settings.studio.port, settings.studio.host) == (82, "::1")
    assert settings.models.hf_token == SecretStr("hf_file")


def test_the_own_name_wins_over_that_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://theirs.example")
    monkeypatch.setenv("CLAPPER_HUB_ENDPOINT", "https://ours.example")

    assert load_settings().models.hub_endpoint == "https://ours.example"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CLAPPER_EXECUTOR", "magic"),
        ("CLAPPER_MEDIA_SECONDS", "0"),
        ("CLAPPER_MODEL_PROFILE", "huge"),
        ("CLAPPER_STUDIO", "perhaps"),
        ("CLAPPER_STUDIO_MEMBER_MINUTES", "-1"),
        ("CLAPPER_STUDIO_SIGN_IN_HOURS", "0"),
        ("CLAPPER_SHUTDOWN_GRACE_S", "soon"),
        ("CLAPPER_METRICS_TOKEN", "short"),
        ("CLAPPER_STUDIO_KEY", "short"),
        ("CLAPPER_LEADER_S", "0.1"),
        ("CLAPPER_HUB_CACHE", "~nobody-here/hub"),
    ],
)
def test_a_bad_value_in_an_area_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)

    with pytest.raises(BadConfiguration) as caught:
        load_settings()

    assert f"{name} " in explain(caught.value).replace(":", " ").replace("`", " ")


@pytest.mark.parametrize("name", ["studioport", "port", "clapper_studio_port", "requests"])
def test_an_override_of_no_setting_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        load_settings(**{name: 1})


def test_a_name_that_an_area_shares_is_that_of_the_variable() -> None:
    assert not load_settings(studio=False).studio.enabled
