"""List the model files that a graph names, and look whether they lie where ComfyUI looks."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

from core.errors import ModelDamaged, ModelUnavailable
from core.models.catalog import FAMILY
from core.models.errors import ModelFileRefused
from core.models.safetensors_header import SUFFIX, read_header
from core.workflow.graph import Graph, Literal, Node
from core.workflow.node_schema import known_nodes

_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin", ".onnx")
# ComfyUI's folder of what an input names; of classes whose input says too little, by their name.
_BY_INPUT = (
    (re.compile(r"(^|_)lora(_name)?(_?\d+)?$"), "loras"),
    (re.compile(r"^ckpt_name"), "checkpoints"),
    (re.compile(r"^unet_name|^diffusion_model"), "diffusion_models"),
    (re.compile(r"^vae_name"), "vae"),
    (re.compile(r"^clip_name|^text_encoder|^clip_l"), "text_encoders"),
    (re.compile(FAMILY.nodes.encoder_input), "text_encoders"),
    (re.compile(r"^control_net_name"), "controlnet"),
    (re.compile(r"^style_model_name"), "style_models"),
)
_BY_CLASS = (
    (re.compile(r"LatentUpscaleModel"), "latent_upscale_models"),
    (re.compile(r"^UpscaleModelLoader"), "upscale_models"),
    (re.compile(r"^CLIPVisionLoader"), "clip_vision"),
    (re.compile(r"AudioEncoderLoader"), "audio_encoders"),
)


class NamedFileState(StrEnum):
    """How a model file was found."""

    FOUND = "file_found"
    MISSING = "file_missing"
    DAMAGED = "file_damaged"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A model file as a graph names it."""

    name: str
    folder: str  # ComfyUI's, e.g. "loras"; "" where the class does not tell it
    needed: bool  # ComfyUI refuses the graph without it; else a node may bring it itself


@dataclass(frozen=True, slots=True)
class LookedFor:
    """A named file, and what lies there."""

    file: NamedFile
    state: NamedFileState
    fault: str = ""  # of a damaged file: an identifier with a word


def named_files(graph: Graph) -> tuple[NamedFile, ...]:
    """List the model files that the nodes of ``graph`` name, each once."""
    return tuple(dict.fromkeys(file for node in graph.nodes.values() for file in _of(node)))


def with_own_separators(node: Node) -> Node:
    """Return ``node`` naming its model files as the ComfyUI of this machine lists them.

    Exports of Windows part folders by another sign, and ComfyUI compares names letter by letter.
    """
    for name, value in node.inputs.items():
        found = value.value if isinstance(value, Literal) else None
        if isinstance(found, dict):  # a row of rgthree's Power Lora Loader
            row = cast("dict[str, object]", found)
            if isinstance(row.get("lora"), str):
                node = node.with_input(name, Literal.of({**row, "lora": _own(str(row["lora"]))}))
        elif isinstance(found, str) and _names_model(node, name, found):
            node = node.with_input(name, Literal.of(_own(found)))
    return node


def _names_model(node: Node, name: str, value: str) -> bool:
    return value.lower().endswith(_SUFFIXES) and _folder(node, name) is not None


def _own(name: str) -> str:
    return _plain(name).replace("/", os.sep)


def look_for_files(graph: Graph, models: Path) -> tuple[LookedFor, ...]:
    """Look in the folders of ``models`` for what ``graph`` names; reads headers, so in a thread."""
    folders = [path for path in models.iterdir() if path.is_dir()] if models.is_dir() else []
    return tuple(_look(file, folders) for file in named_files(graph))


def require_files(graph: Graph, models: Path) -> None:
    """Refuse a job whose own graph names files that are not there; blocks.

    Raises:
        ModelDamaged: one is there and is no whole file.
        ModelUnavailable: one is missing.
    """
    for found in look_for_files(graph, models):
        if found.state is NamedFileState.DAMAGED:
            raise ModelDamaged(found.file.name, found.fault)
        if found.state is NamedFileState.MISSING and found.file.needed:
            raise ModelUnavailable(found.file.name, "clapper workflow check")


def _of(node: Node) -> Iterator[NamedFile]:
    for name, value in node.inputs.items():
        found = value.value if isinstance(value, Literal) else None
        if isinstance(found, dict):  # a row of rgthree's Power Lora Loader
            row = cast("dict[str, object]", found)
            if row.get("on") and isinstance(row.get("lora"), str):
                yield NamedFile(_plain(str(row["lora"])), "loras", needed=True)
        elif isinstance(found, str) and found.lower().endswith(_SUFFIXES):
            folder = _folder(node, name)
            if folder is not None:
                yield NamedFile(_plain(found), folder, needed=_is_loader(node) and folder != "")


def _plain(name: str) -> str:
    return name.replace("\\", "/")


def _folder(node: Node, name: str) -> str | None:
    """Return the folder of the file at ``name``; "" where unknown, None where it is no file."""
    spec = known_nodes().get(node.kind)
    wanted = spec.input(name) if spec is not None else None
    if wanted is not None and not wanted.files:
        return None  # one of a list of names, which the class itself knows how to get
    by_class = (folder for kind, folder in _BY_CLASS if kind.search(node.kind))
    by_input = (folder for pattern, folder in _BY_INPUT if pattern.search(name))
    return next(by_class, None) or next(by_input, "")


def _is_loader(node: Node) -> bool:
    spec = known_nodes().get(node.kind)
    return "Loader" in node.kind or (spec is not None and spec.pack == "core")


def _look(file: NamedFile, folders: list[Path]) -> LookedFor:
    places = [folder for folder in folders if file.folder in {"", folder.name}]
    places += [folder for folder in folders if (file.folder, folder.name) in _TWINS]
    path = next((item / file.name for item in places if (item / file.name).exists()), None)
    if path is None:
        return LookedFor(file, NamedFileState.MISSING)
    try:
        if path.suffix == SUFFIX:
            read_header(path)
    except ModelFileRefused as problem:
        return LookedFor(file, NamedFileState.DAMAGED, problem.fault)
    return LookedFor(file, NamedFileState.FOUND)


_TWINS = {("diffusion_models", "unet"), ("text_encoders", "clip"), ("vae", "vae_approx")}
