"""The networks that see depth and people in a film, as ComfyUI's makers publish them.

Sizes and hashes are those of lists that others keep; the hub is asked for them at the download.
"""

from core.models.model_file import Licence, ModelFile

_DEPTH = "248c0c2c1fca3cf3046db1d0d3d5256f2d078f41"  # Comfy-Org/Depth-Anything-3
_POSE = "f122ac7976997885e3bfeab2bb3a537a6bc250bc"  # Comfy-Org/SDPose
APACHE = Licence(
    key="apache",
    name="Apache License 2.0",
    version="2.0",
    url="https://www.apache.org/licenses/LICENSE-2.0",
)
MIT = Licence(
    key="mit", name="MIT License", version="1", url="https://huggingface.co/Comfy-Org/SDPose"
)

DEPTH = ModelFile(
    repo="Comfy-Org/Depth-Anything-3",
    revision=_DEPTH,
    path="geometry_estimation/depth_anything_3_mono_large.safetensors",
    folder="geometry_estimation",
    size_bytes=1_336_748_056,
    sha256="9b44eda5bedba5b4e125686fdb79d1db309c1b9785277576eb930f885b008f96",
    licence=APACHE,
)
POSE = ModelFile(
    repo="Comfy-Org/SDPose",
    revision=_POSE,
    path="checkpoints/sdpose_wholebody_fp16.safetensors",
    folder="checkpoints",
    size_bytes=1_916_645_792,
    sha256="63d01f9a7494560693b24767f4469d59c9d3266b31ff0a253e74d1e611442721",
    licence=MIT,
)
PEOPLE = ModelFile(
    repo="Comfy-Org/SDPose",
    revision=_POSE,
    path="diffusion_models/rt_detr_v4-x-hgnet_fp16.safetensors",
    folder="diffusion_models",
    size_bytes=123_968_978,
    sha256="581f9af9bbabb664d1891cbccd823308b176ecd409146f954dfa39af3bec2476",
    licence=MIT,
)
