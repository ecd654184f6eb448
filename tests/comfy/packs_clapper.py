"""Starts a real ComfyUI with every pinned node pack, adopts exports, and lets it validate them.

    python packs_clapper.py EXPORTS CHECKOUT BASE

EXPORTS holds ``<mode>.json`` files in API format. Prints one line of JSON at the end. A process of
its own, because the packs change the one that they are loaded into.
"""

import json
import sys
from pathlib import Path
from typing import Any

from core.comfy.device import DeviceKind
from core.comfy.engine import Engine
from core.comfy.install.pins import load_pins
from core.comfy.paths import ComfyPaths
from core.comfy.startup import start
from core.demo.samples import write_png, write_video, write_wav
from core.domain.media import MediaFile
from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.domain.requests import Sampling, make_request
from core.models.catalog import Profile, names
from core.workflow.adopt import adopt
from core.workflow.bind import bind
from core.workflow.graph import read
from core.workflow.input_files import inputs_of

_WEIGHTS = (".safetensors", ".gguf")
_FACTS: dict[str, dict[str, Any]] = {
    "image": {"width": 640, "height": 480},
    "audio": {"seconds": 5.0, "sample_rate": 48_000},
    "video": {"width": 640, "height": 480, "seconds": 5.0, "fps": 30.0},
}
_SUFFIXES = {"image": ".png", "audio": ".wav", "video": ".mp4"}


def values_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in values_in(item)]
    return [value]


def lay_weights(graph: dict[str, Any], models: Path) -> None:
    """Let every file of weights that the owner named be found; validation only lists names."""
    found = [leaf for node in graph.values() for leaf in values_in(node["inputs"])]
    for name in found:
        if isinstance(name, str) and name.endswith(_WEIGHTS):
            for folder in [item for item in models.iterdir() if item.is_dir()]:
                file = folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()


def through_switches(graph: dict[str, Any]) -> None:
    """Link past rgthree's switches: ComfyUI validates nothing that lies behind one."""
    first = {
        key: next(value for value in node["inputs"].values() if isinstance(value, list))
        for key, node in graph.items()
        if node["class_type"] == "Any Switch (rgthree)"
    }
    for node in graph.values():
        for name, value in node["inputs"].items():
            if isinstance(value, list) and value[0] in first:
                node["inputs"][name] = first[value[0]]


def lay_inputs(mode: Mode, folder: Path) -> dict[str, str]:
    staged: dict[str, str] = {}
    for slot in MODES[mode].slots:
        path = folder / f"{mode}-{slot.role}{_SUFFIXES[slot.kind]}"
        match slot.kind:
            case "image":
                write_png(path)
            case "audio":
                write_wav(path)
            case _:
                write_video(path)
        staged[slot.role] = path.name
    return staged


def bound(export: Path, mode: Mode, inputs: Path) -> dict[str, Any]:
    workflow = adopt(read(export), mode).workflow
    media = {
        slot.role: MediaFile(
            str(number) * 64, _SUFFIXES[slot.kind], slot.kind, 10, **_FACTS[slot.kind]
        )
        for number, slot in enumerate(MODES[mode].slots)
    }
    request = make_request(mode, "a fox", Sampling(Preset.FAST, 768, 512, 49, 24, 7), media)
    staged = lay_inputs(mode, inputs)
    wanted = {item.role for item in inputs_of(workflow, request)}
    names_of = names(Profile.FP8)
    chosen = {role: name for role, name in staged.items() if role in wanted}
    return bind(workflow, request, names_of, chosen, "job").graph


def main() -> None:
    exports, checkout, base = (Path(item) for item in sys.argv[1:])
    place = ComfyPaths(checkout, checkout.parent / "packs", base, base / "models")
    started = start(place, DeviceKind.CPU, "auto", packs=True)
    engine = Engine(started)
    homes = {str(getattr(kind, "RELATIVE_PYTHON_MODULE", "")) for kind in _kinds(engine)}
    for kind in ("checkpoints", "loras", "vae", "text_encoders", "unet", "diffusion_models",
                 "latent_upscale_models", "clip"):  # fmt: skip
        (place.models / kind).mkdir(parents=True, exist_ok=True)
    problems: dict[str, list[str]] = {}
    for mode in Mode:
        export = exports / f"{mode}.json"
        if export.is_file():
            graph = bound(export, mode, place.inputs)
            lay_weights(graph, place.models)
            missing = {node["class_type"] for node in graph.values()} - set(engine.node_classes())
            through_switches(graph)
            found = engine.validate("job", graph)
            problems[mode] = [f"no class {kind}" for kind in sorted(missing)]
            problems[mode] += [f"{e.node} {e.node_class} {e.kind}: {e.detail}" for e in found]
    silent = [pin.name for pin in load_pins().packs if f"custom_nodes.{pin.name}" not in homes]
    sys.stdout.write("\n" + json.dumps({"not_loaded": silent, "problems": problems}) + "\n")


def _kinds(engine: Engine) -> list[type]:
    return list(engine.node_classes().values())


if __name__ == "__main__":
    main()
