"""Ask a started ComfyUI what each of its node classes takes and gives, as /object_info answers."""

from typing import Any

import structlog

from core.comfy.device import device_kind
from core.comfy.install.availability import missing_components
from core.comfy.paths import comfy_paths
from core.comfy.startup import ComfyModules, start
from core.settings import Settings

_log = structlog.get_logger(__name__)


def installed_classes(settings: Settings) -> dict[str, dict[str, Any]] | None:
    """Start the ComfyUI that is installed and return its node classes; takes 7 to 16 s.

    Args:
        settings: of the whole service; they say whether node packs are loaded.

    Returns:
        What each class takes and gives, or None where no ComfyUI is installed.
    """
    if any(item.required for item in missing_components(settings)):
        return None
    place, comfy = comfy_paths(settings), settings.comfy
    return object_info(start(place, device_kind(), comfy.vram, packs=comfy.packs))


def object_info(comfy: ComfyModules) -> dict[str, dict[str, Any]]:
    """Return what every node class of ``comfy`` takes and gives."""
    found: dict[str, dict[str, Any]] = {}
    for kind, node in comfy.nodes.NODE_CLASS_MAPPINGS.items():
        try:
            found[kind] = _info(comfy, kind, node)
        except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
            _log.warning("node_class_unreadable", node_class=kind, problem=str(error))  # a pack's
    return found


def _info(comfy: ComfyModules, kind: str, node: Any) -> dict[str, Any]:  # noqa: ANN401  # a class of ComfyUI's
    """Return what one class says of itself; those of the newer interface say it in one piece."""
    if hasattr(node, "GET_NODE_INFO_V1"):
        return node.GET_NODE_INFO_V1()
    return {
        "input": node.INPUT_TYPES(),
        "output": node.RETURN_TYPES,
        "display_name": comfy.nodes.NODE_DISPLAY_NAME_MAPPINGS.get(kind, kind),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
        "output_node": bool(getattr(node, "OUTPUT_NODE", False)),
    }
