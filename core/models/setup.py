"""Make a model store from the settings."""

from pathlib import Path

from huggingface_hub.constants import HF_HUB_CACHE

from core.domain.limits import MEGABYTE
from core.models.catalog import FAMILY, ModelFamily
from core.models.hub_client import Hub, HubAccess
from core.models.licences import Acceptance
from core.models.store import ModelStore, StoreFolders
from core.runtime.clock import Clock, now_ms
from core.settings import Settings


def open_store(
    settings: Settings, clock: Clock = now_ms, family: ModelFamily = FAMILY
) -> ModelStore:
    """Make the store that ``settings`` describe; touches neither disk nor network."""
    return ModelStore(
        StoreFolders(
            models=settings.models_folder,
            cache=settings.models.hub_cache or Path(HF_HUB_CACHE),
            preloaded=settings.models.hub_preloaded,
        ),
        Hub(HubAccess(settings.models.hub_endpoint.rstrip("/"), settings.models.hf_token)),
        Acceptance(
            settings.data_dir / "licences.json", clock, granted=settings.models.accept_licences
        ),
        family=family,
        reserve_bytes=round(settings.retention.min_free_megabytes * MEGABYTE),
    )
