"""Start ComfyUI inside this process. The order of the steps matters; each says why.

ComfyUI was written to be started by its own ``main.py``, which sets flags, patches and hooks that a
library user never gets. Everything of it that we need is repeated here, and nowhere else.
"""

import asyncio
import importlib
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

import structlog

import core
from core.comfy import dynamic_vram, import_shims, memory, original_weights
from core.comfy.acceleration.block_graphs import BlockGraphs
from core.comfy.acceleration.install import install, install_at_nodes
from core.comfy.acceleration.switch import Acceleration
from core.comfy.device import DeviceKind
from core.comfy.dynamic_vram import StartupFlags
from core.comfy.install.candidate import OWN_PACKAGES
from core.comfy.output_node import NodeExchange
from core.comfy.own_nodes.registration import register
from core.comfy.previews.sampler_tap import SamplerTap
from core.comfy.prompt_server import HeadlessServer
from core.errors.setup import ComfyUnavailable
from core.runtime.permissions import make_private_folder

if TYPE_CHECKING:
    from core.comfy.paths import ComfyPaths

_log = structlog.get_logger(__name__)
# at most one each: ComfyUI is modules, and those are the process's
_imported: list["_Imported"] = []
_running: list["ComfyModules"] = []


@dataclass(frozen=True, slots=True)
class ComfyModules:
    """The modules of a running ComfyUI. Their attributes have no types; see :mod:`.engine`."""

    torch: ModuleType
    execution: ModuleType
    nodes: ModuleType
    model_management: ModuleType
    server: HeadlessServer
    exchange: NodeExchange
    acceleration: Acceleration
    graphs: BlockGraphs
    tap: SamplerTap
    device: DeviceKind
    dynamic_vram: bool


@dataclass(frozen=True, slots=True)
class _Imported:
    """ComfyUI's modules before they have a device."""

    args: StartupFlags
    torch: ModuleType
    execution: ModuleType
    nodes: ModuleType
    model_management: ModuleType
    server: HeadlessServer
    exchange: NodeExchange
    acceleration: Acceleration
    graphs: BlockGraphs
    tap: SamplerTap


class _Tokenizer(Protocol):
    """What every tokenizer of ``comfy.sd1_clip`` has."""

    embedding_directory: str | None


def import_ahead(place: "ComfyPaths", vram: str) -> None:
    """Import ComfyUI in a process without a device, so that its forks need not. Takes 7 to 16 s.

    For a parent whose torch answers for a device that only its forks get; on the thread that put
    those answers into torch. Node packs are not loaded: they may ask for more than that.

    Args:
        place: where ComfyUI and its folders lie.
        vram: as of :func:`start`.

    Raises:
        ComfyUnavailable: something that it needs is not installed.
        RuntimeError: an event loop runs on this thread; or what ComfyUI's modules raise. They are
            forgotten then, so that a fork can import them anew.
    """
    if _imported:
        return
    try:
        _imported.append(_import(place, DeviceKind.CUDA, vram, packs=False))
    except ModuleNotFoundError as error:
        raise ComfyUnavailable(str(error.name)) from error
    finally:
        if not _imported:
            _forget(place.checkout)


def start(place: "ComfyPaths", device: DeviceKind, vram: str, *, packs: bool) -> ComfyModules:
    """Import ComfyUI from ``place`` and make it ready. Takes 7 to 16 s once a process.

    Runs on the thread that will execute prompts. Where the modules were imported before the fork,
    what is left is what needs the device.

    Args:
        place: where ComfyUI and its folders lie.
        device: what to compute on.
        vram: ``auto``, ``high``, ``normal`` or ``low``, as the setting.
        packs: whether to load the node packs.

    Returns:
        The modules in use.

    Raises:
        ComfyUnavailable: something that it needs is not installed.
    """
    if _running:  # modules cannot be imported anew: the first device and memory settings stay
        _point_folders(place, packs=packs)
        return _running[0]
    try:
        if not _imported:
            _imported.append(_import(place, device, vram, packs=packs))
        _running.append(_attach(_imported[0], device, vram))
    except ModuleNotFoundError as error:
        raise ComfyUnavailable(str(error.name)) from error
    return _running[0]


def _import(place: "ComfyPaths", device: DeviceKind, vram: str, *, packs: bool) -> _Imported:
    _open_path(place.checkout)
    args = _arguments(place, device, vram, packs=packs)
    if device is DeviceKind.CUDA:
        dynamic_vram.begin(args)  # before torch is imported: it hooks into CUDA's start
        if "torch" in sys.modules:  # a torch that is loaded refuses CUDA with another allocator
            args.disable_cuda_malloc = True
        importlib.import_module("cuda_malloc")  # chooses torch's allocator by an environment entry
    torch = importlib.import_module("torch")
    import_shims.install_shims(torch)  # before anything imports torchvision or torchaudio
    _point_folders(place, packs=packs)
    utils = importlib.import_module("comfy.utils")
    execution = importlib.import_module("execution")
    nodes = importlib.import_module("nodes")
    model_management = importlib.import_module("comfy.model_management")
    server, exchange = HeadlessServer(), NodeExchange(torch.from_numpy)
    # core nodes and packs reach for this class attribute, also while they are imported
    importlib.import_module("server").PromptServer.instance = server
    memory.correct_decode_estimate(importlib.import_module("comfy.sd"))
    _keep_prompts_literal(importlib.import_module("comfy.sd1_clip"))
    acceleration = Acceleration()
    graphs = install(acceleration, torch, model_management)
    original_weights.install(model_management)
    asyncio.run(nodes.init_extra_nodes(init_custom_nodes=packs, init_api_nodes=False))
    register(nodes.NODE_CLASS_MAPPINGS, exchange, torch)
    install_at_nodes(acceleration, torch, model_management, nodes.NODE_CLASS_MAPPINGS)
    tap = SamplerTap(torch)
    tap.install(importlib.import_module("comfy.samplers").CFGGuider)
    _hook_progress(utils, model_management)
    utils.set_progress_bar_enabled(enabled=False)  # else every sampler draws a bar on stderr
    _check_core()
    return _Imported(
        args, torch, execution, nodes, model_management, server, exchange, acceleration, graphs, tap
    )


def _forget(checkout: Path) -> None:
    """Drop the modules of ``checkout`` that were imported: half of them is worse than none."""
    specs = {name: getattr(module, "__spec__", None) for name, module in [*sys.modules.items()]}
    known = {name: spec for name, spec in specs.items() if isinstance(spec, ModuleSpec)}
    for name in [name for name, spec in known.items() if _lies_in(checkout, spec)]:
        del sys.modules[name]


def _lies_in(checkout: Path, spec: ModuleSpec) -> bool:
    """Tell whether a module comes from ``checkout``; a package without a file has folders alone."""
    places = [spec.origin or "", *(spec.submodule_search_locations or ())]
    return any(Path(place).is_relative_to(checkout) for place in places)


def _attach(found: _Imported, device: DeviceKind, vram: str) -> ComfyModules:
    """Give the modules their device."""
    management = found.model_management
    dynamic = device is DeviceKind.CUDA and dynamic_vram.finish(found.args, management)
    if vram == "high":
        memory.keep_everything(management)
        upsampler = importlib.import_module("comfy.ldm.lightricks.latent_upsampler")
        memory.keep_upscaler(upsampler, management)
    _log.info("comfy_started", device=device.value, dynamic_vram=dynamic, vram=vram)
    return ComfyModules(
        found.torch, found.execution, found.nodes, management, found.server, found.exchange,
        found.acceleration, found.graphs, found.tap, device, dynamic,
    )  # fmt: skip


def _open_path(checkout: Path) -> None:
    """Make ComfyUI's modules importable, its package ``utils`` before its file ``comfy/utils.py``.

    ComfyUI later puts ``comfy/`` first on the path, and ``utils`` would then be the wrong one.
    """
    if str(checkout) not in sys.path:
        sys.path[:0] = [str(checkout), str(checkout / OWN_PACKAGES)]
    importlib.import_module("utils.install_util")


def _arguments(place: "ComfyPaths", device: DeviceKind, vram: str, *, packs: bool) -> StartupFlags:
    """Set ComfyUI's flags before any other of its modules reads them at import."""
    importlib.import_module("comfy.options")  # not told to parse: our own argv is not ComfyUI's
    args = cast("StartupFlags", importlib.import_module("comfy.cli_args").args)
    args.base_directory = str(place.base)  # models, input, output and temp are ours
    args.cpu = device is DeviceKind.CPU  # else a torch without CUDA fails at import
    args.disable_all_custom_nodes = not packs
    args.disable_api_nodes = True  # they call paid services
    args.disable_metadata = True  # else the prompt is written into saved files
    # models and pictures stay on the device; "highvram" would still copy decoded frames as floats
    args.gpu_only = vram == "high"
    args.disable_cuda_malloc = vram == "high"  # nothing pages, and it makes every launch slower
    args.disable_dynamic_vram = vram == "normal"  # ComfyUI's older, estimating memory manager
    args.lowvram = vram == "low"
    if vram == "low":
        args.reserve_vram = 1.5  # GiB left for activations and for the desktop
    # preview_method stays at its default, none: its pictures wait for the device, ours do not
    return args


def _point_folders(place: "ComfyPaths", *, packs: bool) -> None:
    """Point ComfyUI's folder table at ours; its modules read the table when they list files."""
    for name in ("input", "output", "temp", "models", "user"):
        make_private_folder(place.base / name)
    folders = importlib.import_module("folder_paths")
    folders.set_input_directory(str(place.inputs))
    folders.set_output_directory(str(place.base / "output"))
    folders.set_temp_directory(str(place.base / "temp"))
    table: dict[str, tuple[list[str], set[str]]] = folders.folder_names_and_paths
    for kind, (paths, suffixes) in list(table.items()):
        moved = [str(place.models / Path(path).name) for path in paths]
        table[kind] = (moved, set(suffixes) & {".safetensors", ".sft"} or suffixes)  # no pickles
    table["custom_nodes"] = ([str(place.packs)] if packs else [], set())


def _keep_prompts_literal(sd1_clip: ModuleType) -> None:
    """Read ``embedding:name`` in a prompt as the text that it is.

    ComfyUI would drop it from the prompt, log it, and look for a file of that name.
    """
    original = sd1_clip.SDTokenizer.__init__

    def without_embeddings(self: _Tokenizer, *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)
        self.embedding_directory = None

    sd1_clip.SDTokenizer.__init__ = without_embeddings


def _hook_progress(utils: ModuleType, model_management: ModuleType) -> None:
    """Put the steps of samplers into ComfyUI's progress events; without a hook nodes show 0 or 1.

    Also stops a cancelled sampler at its next step at the latest.
    """
    progress = importlib.import_module("comfy_execution.progress")
    context = importlib.import_module("comfy_execution.utils")

    def hook(
        value: int, total: int, preview: object, prompt_id: object = None, node_id: object = None
    ) -> None:
        del preview, prompt_id
        model_management.throw_exception_if_processing_interrupted()
        running = context.get_executing_context()
        node = node_id or (running.node_id if running else None)
        if node is not None:
            progress.get_progress_state().update_progress(node, value, total, None)

    utils.set_progress_bar_global_hook(hook)


def _check_core() -> None:
    """Make sure that nothing on ComfyUI's path took the place of our own package.

    Raises:
        ComfyUnavailable: ``import core`` would now find something else.
    """
    own = Path(core.__file__ or "").resolve()
    if (
        own != Path(__file__).resolve().parents[1] / "__init__.py"
        or sys.modules["core"] is not core
    ):
        raise ComfyUnavailable("core")
