"""Which part of the work this process takes, and whether its settings allow it."""

from collections.abc import Iterable

from core.domain.nodes import NodeRole
from core.errors.nodes import NodeNeedsServer, NodeNeedsSharedFiles, WorkerHoldsSecrets
from core.runtime.paths import readable
from core.settings import Settings, variables
from core.storage.addresses import is_postgres

# flat names of what fronts alone need: whoever rents a machine to a worker could read it there
SECRETS_OF_FRONTS = (
    "discord_token",
    "discord_operator_roles",
    "telegram_token",
    "telegram_webhook_secret",
    "studio_oauth_client_secret",
    "studio_users",
    "studio_key",
    "operators",
)
KEYS_OF_THE_BUCKET = ("s3_access_key_id", "s3_secret_access_key")  # fronts sign for workers
# and what a machine behind the gate does without
KEYS_OF_OWN_MACHINES = ("database_url", *KEYS_OF_THE_BUCKET)


def role_of_service(settings: Settings) -> NodeRole:
    """Return what ``clapper serve`` is by its settings."""
    return NodeRole.SERVICE if settings.node.worker else NodeRole.FRONT


def check_role(settings: Settings, role: NodeRole) -> None:
    """See that this process can be a node of ``role``.

    Raises:
        NodeNeedsServer: the rows are in a file, which one process has.
        NodeNeedsSharedFiles: the clips of workers would not be where fronts look.
        WorkerHoldsSecrets: a worker is given what only fronts need.
    """
    if role is NodeRole.SERVICE:
        return
    if role is NodeRole.WORKER and settings.gate.url:
        _refuse_secrets(settings, (*SECRETS_OF_FRONTS, *KEYS_OF_OWN_MACHINES))
        return
    if not is_postgres(settings.database):
        worker = role is NodeRole.WORKER
        raise NodeNeedsServer("clapper worker" if worker else "clapper serve --no-worker")
    if role is NodeRole.WORKER:
        _refuse_secrets(settings, (*SECRETS_OF_FRONTS, *KEYS_OF_THE_BUCKET))
    if not settings.artefacts.shared and not settings.artefacts.artefacts_shared:
        raise NodeNeedsSharedFiles(readable(settings.data_dir))


def _refuse_secrets(settings: Settings, refused: Iterable[str]) -> None:
    values, known = settings.values(), variables(type(settings))
    held = [name for name in refused if values.get(name)]
    if held:
        raise WorkerHoldsSecrets(", ".join(known[name].names[0] for name in held))
