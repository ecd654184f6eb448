"""Which processes may be what, and what keeps one from being it."""

import pytest

from core.app.roles import check_role, role_of_service
from core.domain.nodes import NodeRole
from core.errors.nodes import NodeNeedsServer, NodeNeedsSharedFiles, WorkerHoldsSecrets
from core.errors.setup import BadConfiguration
from core.i18n.messages import explain
from core.settings import load_settings

pytestmark = pytest.mark.sqlite
SERVER = {"CLAPPER_DATABASE_URL": "postgresql://clapper@127.0.0.1/clapper"}
SHARED = SERVER | {"CLAPPER_ARTEFACTS_SHARED": "true"}
BUCKET = SERVER | {"CLAPPER_ARTEFACTS": "s3://bucket"}
SECRETS = {
    "CLAPPER_DISCORD_TOKEN": "t",
    "CLAPPER_DISCORD_OPERATOR_ROLES": "42",
    "CLAPPER_TELEGRAM_TOKEN": "t",
    "CLAPPER_TELEGRAM_WEBHOOK_SECRET": "t",
    "CLAPPER_STUDIO_OAUTH_CLIENT_SECRET": "t",
    "OAUTH_CLIENT_SECRET": "t",
    "CLAPPER_STUDIO_USERS": "/somewhere",
    "CLAPPER_OPERATORS": "discord:1",
    "CLAPPER_S3_ACCESS_KEY_ID": "of-the-operator",
    "CLAPPER_S3_SECRET_ACCESS_KEY": "t",
}


@pytest.fixture
def settings_of(clean_environment, monkeypatch, tmp_path):
    def load(environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load_settings(data_dir=tmp_path)

    return load


@pytest.mark.parametrize("environment", [SHARED, BUCKET])
@pytest.mark.parametrize("role", NodeRole)
def test_server_and_files_for_all_let_a_process_be_anything(settings_of, environment, role):
    check_role(settings_of(environment), role)


def test_one_process_needs_neither(settings_of):
    check_role(settings_of({}), NodeRole.SERVICE)
    check_role(settings_of(SERVER), NodeRole.SERVICE)


@pytest.mark.parametrize("role", [NodeRole.FRONT, NodeRole.WORKER])
def test_split_roles_need_a_server_and_files_for_all(settings_of, role):
    with pytest.raises(NodeNeedsServer):
        check_role(settings_of({}), role)
    with pytest.raises(NodeNeedsSharedFiles):
        check_role(settings_of(SERVER), role)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("spell", [str.upper, str.lower], ids=["upper", "lower"])
def test_worker_refuses_each_secret_of_the_fronts_and_does_not_say_it(settings_of, name, spell):
    settings = settings_of(SHARED | {spell(name): SECRETS[name]})

    with pytest.raises(WorkerHoldsSecrets) as refused:
        check_role(settings, NodeRole.WORKER)

    assert refused.value.names.endswith(name.removeprefix("CLAPPER_STUDIO_"))
    assert "\n" not in explain(refused.value)
    check_role(settings, NodeRole.FRONT)


def test_worker_tells_all_secrets_at_once(settings_of):
    with pytest.raises(WorkerHoldsSecrets) as refused:
        check_role(settings_of(SHARED | SECRETS), NodeRole.WORKER)

    assert len(refused.value.names.split(", ")) == len(SECRETS) - 1  # two names of one setting


def test_worker_refuses_secrets_in_its_file_of_settings(settings_of, tmp_path):
    file = tmp_path / "settings"
    file.write_text("CLAPPER_TELEGRAM_TOKEN=t\n")

    with pytest.raises(WorkerHoldsSecrets, match="CLAPPER_TELEGRAM_TOKEN"):
        check_role(settings_of(SHARED | {"CLAPPER_ENV_FILE": str(file)}), NodeRole.WORKER)


def test_blank_secret_is_none(settings_of):
    check_role(settings_of(SHARED | dict.fromkeys(SECRETS, " ")), NodeRole.WORKER)


def test_service_makes_clips_unless_told_otherwise(settings_of):
    assert role_of_service(settings_of(SERVER)) is NodeRole.SERVICE
    assert role_of_service(settings_of(SERVER | {"CLAPPER_WORKER": "false"})) is NodeRole.FRONT


def test_without_a_worker_a_file_of_rows_is_refused(settings_of):
    settings = settings_of({"CLAPPER_WORKER": "false"})

    with pytest.raises(NodeNeedsServer, match="no-worker"):
        check_role(settings, role_of_service(settings))


@pytest.mark.parametrize("environment", [{}, SERVER])
def test_lease_lasts_four_heartbeats_where_others_may_take_the_job(settings_of, environment):
    beats = environment | {"CLAPPER_HEARTBEAT_S": "5", "CLAPPER_LEASE_S": "19"}
    if not environment:
        settings_of(beats)
        return
    with pytest.raises(BadConfiguration, match="CLAPPER_HEARTBEAT_S"):
        settings_of(beats)


@pytest.mark.parametrize("name", ["CLAPPER_NODE", "CLAPPER_POOL"])
@pytest.mark.parametrize("value", ["a b", "-a", "a/b", "ä", "a" * 64])
def test_names_of_nodes_and_pools_are_plain(settings_of, name, value):
    with pytest.raises(BadConfiguration, match=name):
        settings_of({name: value})
