"""The model files that a graph names: which, in which folder, and whether they are whole."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import ModelDamaged, ModelUnavailable
from core.workflow.graph import Graph, Literal, Node
from core.workflow.model_files import NamedFileState, look_for_files, named_files, require_files


def graph_of(*nodes: tuple[str, dict[str, object]]) -> Graph:
    return Graph.of(
        Node(str(key), kind, {name: Literal.of(value) for name, value in inputs.items()})
        for key, (kind, inputs) in enumerate(nodes)
    )


def lora(name: str) -> Graph:
    return graph_of(("LoraLoaderModelOnly", {"lora_name": name, "strength_model": 1.0}))


def whole(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"x": np.zeros(2, np.float32)}, path)
    return path


def test_files_are_listed_once_with_the_folder_that_their_input_tells() -> None:
    rows = {"on": True, "lora": "a\\b.safetensors"}
    found = named_files(
        graph_of(
            ("CheckpointLoaderSimple", {"ckpt_name": "m.safetensors"}),
            ("LTXVAudioVAELoader", {"ckpt_name": "m.safetensors"}),
            ("LTXAVTextEncoderLoader", {"text_encoder": "te.safetensors", "device": "cpu"}),
            ("LatentUpscaleModelLoader", {"model_name": "up.safetensors"}),
            ("UnetLoaderGGUF", {"unet_name": "m.gguf"}),
            ("Power Lora Loader (rgthree)", {"lora_1": rows, "lora_2": {**rows, "on": False}}),
            ("SomebodysLoader", {"thing": "x.pth", "picture": "mine.png"}),
            ("LoadImage", {"image": "mine.png"}),
            ("DWPreprocessor", {"bbox_detector": "yolox_l.onnx"}),  # it fetches that itself
        )
    )

    assert [(file.name, file.folder, file.needed) for file in found] == [
        ("m.safetensors", "checkpoints", True),
        ("te.safetensors", "text_encoders", True),
        ("up.safetensors", "latent_upscale_models", True),
        ("m.gguf", "diffusion_models", True),
        ("a/b.safetensors", "loras", True),
        ("x.pth", "", False),
    ]


def test_a_file_counts_only_in_its_own_folder(tmp_path: Path) -> None:
    whole(tmp_path / "checkpoints" / "mine.safetensors")
    (missing,) = look_for_files(lora("mine.safetensors"), tmp_path)
    assert missing.state is NamedFileState.MISSING

    whole(tmp_path / "loras" / "mine.safetensors")

    (found,) = look_for_files(lora("mine.safetensors"), tmp_path)
    assert found.state is NamedFileState.FOUND


def test_a_file_of_an_unknown_use_counts_in_any_folder(tmp_path: Path) -> None:
    graph = graph_of(("Somebodys", {"thing": "x.safetensors"}))
    whole(tmp_path / "elsewhere" / "x.safetensors")

    assert [found.state for found in look_for_files(graph, tmp_path)] == [NamedFileState.FOUND]


@pytest.mark.parametrize("content", [b"", b"<html>moved</html>", "half"])
def test_a_file_that_is_not_whole_is_damaged(tmp_path: Path, content: bytes | str) -> None:
    path = whole(tmp_path / "loras" / "mine.safetensors")
    path.write_bytes(content if isinstance(content, bytes) else path.read_bytes()[:-3])

    (found,) = look_for_files(lora("mine.safetensors"), tmp_path)

    assert found.state is NamedFileState.DAMAGED
    with pytest.raises(ModelDamaged) as caught:
        require_files(lora("mine.safetensors"), tmp_path)
    assert (caught.value.file, caught.value.fault) == ("mine.safetensors", found.fault)


def test_a_job_is_refused_for_a_missing_file_but_not_for_one_that_a_node_may_fetch(
    tmp_path: Path,
) -> None:
    require_files(graph_of(("Somebodys", {"thing": "x.safetensors"})), tmp_path)

    with pytest.raises(ModelUnavailable) as caught:
        require_files(lora("mine.safetensors"), tmp_path / "nowhere")

    assert caught.value.file == "mine.safetensors"
    assert caught.value.command == "clapper workflow check"
