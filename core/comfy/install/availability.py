"""What ComfyUI still lacks on this machine, each with the command that brings it."""

import importlib.util
from dataclasses import dataclass

from core.comfy.device import DeviceKind, device_kind
from core.comfy.install.pins import load_pins
from core.comfy.paths import place_of
from core.i18n.messages import say
from core.models.catalog import Profile
from core.models.setup import open_store
from core.runtime.clock import now_ms
from core.settings import Settings

INSTALL = "clapper comfy install"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is not there; ``required`` also where ComfyUI is asked for by name."""

    what: str
    command: str
    required: bool = True


def missing(settings: Settings) -> list[Missing]:
    """Return what is missing for running ComfyUI, the most basic thing first; empty if nothing.

    Touches the disk and the driver, imports neither torch nor ComfyUI.
    """
    found: list[Missing] = []
    pins, place = load_pins(), place_of(settings)
    if place.version is None:
        found.append(Missing(f"ComfyUI {pins.version}", INSTALL))
    elif place.version != pins.version:
        data = {"version": pins.version, "found": place.version}
        found.append(Missing(say("comfy_version_wrong", data), "clapper comfy update"))
    for module in ("torch", "torchsde", "transformers", "comfy_kitchen"):
        if importlib.util.find_spec(module) is None:
            found.append(Missing(module, INSTALL))
    if device_kind() is DeviceKind.CPU:
        # by name it runs on a processor too, slowly
        found.append(Missing(say("comfy_gpu"), "CLAPPER_EXECUTOR=comfy", required=False))
    store = open_store(settings, now_ms)
    profile = Profile(settings.models.profile)
    absent = store.missing(store.family.files_for(None, profile))
    if absent:
        found.append(
            Missing(absent[0].name, f"clapper models pull --profile {profile}", required=False)
        )
    return found
