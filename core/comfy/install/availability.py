"""Find what ComfyUI still lacks on this machine, each with the command that installs it."""

import importlib.util
from dataclasses import dataclass

from core.comfy.device import DeviceKind, device_kind
from core.comfy.install.pins import load_pins
from core.comfy.paths import comfy_paths
from core.i18n.messages import say
from core.models.catalog import Profile
from core.models.setup import open_store
from core.runtime.clock import now_ms
from core.settings import Settings

INSTALL = "clapper comfy install"


@dataclass(frozen=True, slots=True)
class MissingComponent:
    """Something missing; not ``required`` where an executor chosen by name runs without it."""

    what: str
    command: str
    required: bool = True


def missing_components(settings: Settings) -> list[MissingComponent]:
    """List what is missing for running ComfyUI, the most basic thing first.

    Touches the disk and the driver, imports neither torch nor ComfyUI.
    """
    found: list[MissingComponent] = []
    pins, place = load_pins(), comfy_paths(settings)
    wanted = place.wanted or pins.version
    if place.version is None:
        found.append(MissingComponent(f"ComfyUI {wanted}", INSTALL))
    elif place.version != wanted:
        data = {"version": wanted, "found": place.version}
        found.append(MissingComponent(say("comfy_version_wrong", data), "clapper comfy update"))
    for module in ("torch", "torchsde", "transformers", "comfy_kitchen"):
        if importlib.util.find_spec(module) is None:
            found.append(MissingComponent(module, INSTALL))
    if device_kind() is DeviceKind.CPU:
        # by name it runs on a processor too, slowly
        chosen = settings.executor == "comfy"
        fix = say("comfy_gpu_driver") if chosen else "CLAPPER_EXECUTOR=comfy"
        found.append(MissingComponent(say("comfy_gpu"), fix, required=False))
    store = open_store(settings, now_ms)
    profile = Profile(settings.models.profile)
    absent = store.missing(store.family.files_for(None, profile))
    if absent:
        found.append(
            MissingComponent(
                absent[0].name, f"clapper models pull --profile {profile}", required=False
            )
        )
    return found
