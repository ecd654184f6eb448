"""What the page says of the service itself, in words."""

from core.i18n.messages import say
from core.service.front_services import FrontServices


def model_line(services: FrontServices, *, lent: bool) -> str:
    """Return what makes the clips; ``lent``: on a GPU that somebody lends to each visitor."""
    if services.executor == "draft":
        return say("studio_model_draft")
    settings = services.settings
    data = {
        "family": services.family,
        "profile": settings.models.profile,
        "device": services.device,
    }
    if not settings.on_space:
        return say("studio_model", data)
    data |= {"vram": settings.comfy.vram, "seconds": settings.requests.max_seconds}
    tier = settings.studio.tier
    tiered = say("studio_model_tier", {"tier": tier}) if tier and lent else ""
    return say("studio_model_space", data) + tiered


def notice_line(services: FrontServices) -> str:
    """Return what everybody should know of this Studio; empty where there is nothing."""
    draft = services.executor == "draft"
    return say("space_no_gpu") if draft and services.settings.on_space else ""
