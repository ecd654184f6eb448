"""Graphs as somebody without node packs saves them: odd ids, own titles, numbers linked."""

import copy
from typing import Any

Prompt = dict[str, Any]
_TITLES = ("GOOD (dont touch)", "", "Node 3 copy", "größe / taille", "new")


def disguised(graph: Prompt) -> Prompt:
    """Return ``graph``, one of ours after binding, as an export that saves the same video.

    Args:
        graph: in API format, ending in ``ClapperOutput``.
    """
    nodes = copy.deepcopy(graph)
    _link_numbers(nodes)
    _link_words(nodes)
    _save(nodes)
    return _renamed(nodes)


def _add(nodes: Prompt, key: str, kind: str, title: str, **inputs: Any) -> list[Any]:
    nodes[key] = {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}
    return [key, 0]


def _link_numbers(nodes: Prompt) -> None:
    """Put sizes, length and frame rate into nodes of their own; the latent's through a picture."""
    latent = next(
        node["inputs"] for node in nodes.values() if node["class_type"] == "EmptyLTXVLatentVideo"
    )
    half = any(node["class_type"] == "LTXVLatentUpsampler" for node in nodes.values())
    scale = 2 if half else 1
    full = {side: latent[side] * scale for side in ("width", "height")}
    links = {side: _add(nodes, f"p_{side}", "PrimitiveInt", side.title(), value=full[side])
             for side in full}  # fmt: skip
    _add(nodes, "canvas", "EmptyImage", "canvas", **links, batch_size=1, color=0)
    _add(nodes, "scaled", "ImageScaleBy", "/2", upscale_method="area", scale_by=1 / scale,
         image=["canvas", 0])  # fmt: skip
    _add(nodes, "measured", "GetImageSize", "measure", image=["scaled", 0])
    latent["width"], latent["height"] = ["measured", 0], ["measured", 1]
    length = _add(nodes, "p_length", "PrimitiveInt", "frames!", value=latent["length"])
    rate = next(
        node["inputs"]["frame_rate"]
        for node in nodes.values()
        if node["class_type"] == "LTXVConditioning"
    )
    fps = _add(nodes, "p_fps", "PrimitiveFloat", "FPS", value=rate)
    for node in nodes.values():
        match node["class_type"]:
            case "LTXVConditioning":
                node["inputs"]["frame_rate"] = fps
            case "LTXVEmptyLatentAudio":
                node["inputs"]["frames_number"] = length
            case "EmptyLTXVLatentVideo":
                node["inputs"]["length"] = length
            case _:
                pass


def _link_words(nodes: Prompt) -> None:
    for number, node in enumerate(list(nodes.values())):
        if node["class_type"] == "CLIPTextEncode":
            text = _add(nodes, f"words{number}", "PrimitiveStringMultiline", "type here",
                        value=node["inputs"]["text"])  # fmt: skip
            node["inputs"]["text"] = text


def _save(nodes: Prompt) -> None:
    key, output = next(item for item in nodes.items() if item[1]["class_type"] == "ClapperOutput")
    del nodes[key]
    given = {name: output["inputs"][name] for name in ("images", "audio")}
    _add(nodes, "made", "CreateVideo", "clip", **given, fps=["p_fps", 0])
    _add(nodes, "saved", "SaveVideo", "my render", video=["made", 0], filename_prefix="v/x",
         format="auto", codec="auto")  # fmt: skip
    _add(nodes, "looked", "PreviewImage", "for me", images=given["images"])


def _renamed(nodes: Prompt) -> Prompt:
    """Give every node an id as subgraphs have, in another order, and a title that tells nothing."""
    ids = {key: f"{1000 - 7 * number}:{number % 3}" for number, key in enumerate(nodes)}
    found: Prompt = {}
    for number, key in enumerate(reversed(list(nodes))):
        node = nodes[key]
        inputs = {
            name: [ids[value[0]], value[1]] if isinstance(value, list) else value
            for name, value in node["inputs"].items()
        }
        plain = key.startswith("p_")  # a title is all that tells what such a number is for
        title = node["_meta"]["title"] if plain else _TITLES[number % len(_TITLES)]
        found[ids[key]] = {
            "class_type": node["class_type"],
            "inputs": inputs,
            "_meta": {"title": title},
        }
    return found
