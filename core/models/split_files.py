"""The parts of LTX-2.3 as files of their own, for the loaders of ComfyUI that take one each.

The commit of the large file is not known; its hash says which content it must have.
"""

from core.models.model_file import LTX2_LICENCE, ModelFile

_REPO = "Kijai/LTX2.3_comfy"
_COMMIT = "72af6430be2ff9b6792e9bdb8b7bd8ddcc11bc8b"

INT8_TRANSFORMER = ModelFile(  # with the connectors of the text
    repo=_REPO,
    revision="main",
    path="diffusion_models/ltx-2.3-22b-dev_transformer_only_int8_convrot.safetensors",
    folder="diffusion_models",
    size_bytes=21_505_993_064,
    sha256="6f4b86bd840cb83179e9021306a63119c3b4e664248292c4103613a2d4a4484c",
    licence=LTX2_LICENCE,
)
VIDEO_VAE = ModelFile(
    repo=_REPO,
    revision=_COMMIT,
    path="vae/LTX23_video_vae_bf16.safetensors",
    folder="vae",
    size_bytes=1_452_258_578,
    sha256="01ea62d09bc139f95c5dee7b5c062ad6a3e6cd8be910a1983ac02e7eb5b8ee3b",
    licence=LTX2_LICENCE,
)
AUDIO_VAE = ModelFile(
    repo=_REPO,
    revision=_COMMIT,
    path="vae/LTX23_audio_vae_bf16.safetensors",
    folder="vae",
    size_bytes=364_855_188,
    sha256="5bc10fa4adecf99dda132d916e23048cbd56797702c5fa50eb5d2079048a38c3",
    licence=LTX2_LICENCE,
)
TEXT_PROJECTION = ModelFile(
    repo=_REPO,
    revision=_COMMIT,
    path="text_encoders/ltx-2.3_text_projection_bf16.safetensors",
    folder="text_encoders",
    size_bytes=2_312_149_072,
    sha256="911d59bb4cb7708179c9a0045ea0fe41212ecfb77aed3a02702b7c0a8274911f",
    licence=LTX2_LICENCE,
)
