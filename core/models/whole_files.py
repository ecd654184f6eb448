"""The files of LTX-2.3 as its makers and ComfyUI's publish them, by commit and hash."""

from core.models.model_file import LTX2_LICENCE, Licence, ModelFile

GEMMA_TERMS = Licence(
    key="gemma",
    name="Gemma Terms of Use",
    version="2026-04-01",
    url="https://ai.google.dev/gemma/terms",
)

_LTX23 = "76730e634e70a28f4e8d51f5e29c08e40e2d8e74"  # Lightricks/LTX-2.3
_LTX23_FP8 = "1d756cd27fa11c0896c4dfee093cd1bf36c7f7a1"  # Lightricks/LTX-2.3-fp8
_COMFY_LTX2 = "101c239b4b64dd1b45d645365339c56e0e7df4c3"  # Comfy-Org/ltx-2
_COMFY_LTX23 = "f246c0865f5214499a12b72d47464ac8f4f54bee"  # Comfy-Org/ltx-2.3
_UNION_CONTROL = "b4d1c4d8c9e544e9bbbd6811bb4363708b6093ff"

DEV_BF16 = ModelFile(
    repo="Lightricks/LTX-2.3",
    revision=_LTX23,
    path="ltx-2.3-22b-dev.safetensors",
    folder="checkpoints",
    size_bytes=46_149_344_974,
    sha256="7ab7225325bc403448ea84b6db2269811a880e5118cd2ee2b6282a93d585016f",
    licence=LTX2_LICENCE,
)
DEV_FP8 = ModelFile(
    repo="Lightricks/LTX-2.3-fp8",
    revision=_LTX23_FP8,
    path="ltx-2.3-22b-dev-fp8.safetensors",
    folder="checkpoints",
    size_bytes=29_145_431_166,
    sha256="28606c5b5a06ce56f896d4dfcb20f212739e07a68fbe48e53638188449d26450",
    licence=LTX2_LICENCE,
)
GEMMA_BF16 = ModelFile(
    repo="Comfy-Org/ltx-2",
    revision=_COMFY_LTX2,
    path="split_files/text_encoders/gemma_3_12B_it.safetensors",
    folder="text_encoders",
    size_bytes=24_379_468_890,
    sha256="4080dc65561b7d1cdf20268fc09829829409edecd9fc035fcbbfd77aee7b98aa",
    licence=GEMMA_TERMS,
)
GEMMA_FP4 = ModelFile(
    repo="Comfy-Org/ltx-2",
    revision=_COMFY_LTX2,
    path="split_files/text_encoders/gemma_3_12B_it_fp4_mixed.safetensors",
    folder="text_encoders",
    size_bytes=9_447_702_218,
    sha256="aaca463d11e6d8d2a4bdb0d6299214c15ef78a3f73e0ef8113d5a9d0219b3f6d",
    licence=GEMMA_TERMS,
)
UPSCALER = ModelFile(
    repo="Lightricks/LTX-2.3",
    revision=_LTX23,
    path="ltx-2.3-spatial-upscaler-x2-1.1.safetensors",
    folder="latent_upscale_models",
    size_bytes=995_743_560,
    sha256="5f416311fa8172b65af67530758964708d29a317b830d689a51143b7f91913ed",
    licence=LTX2_LICENCE,
)
# 130 968 192 values of 16 bits, by the layers that its class makes of its settings, and a header
TEMPORAL = ModelFile(
    repo="Lightricks/LTX-2.3",
    revision=_LTX23,
    path="ltx-2.3-temporal-upscaler-x2-1.0.safetensors",
    folder="latent_upscale_models",
    size_bytes=261_944_000,
    sha256=None,  # the commit names it
    licence=LTX2_LICENCE,
    exact=False,
)
DISTILLED = ModelFile(
    repo="Comfy-Org/ltx-2.3",
    revision=_COMFY_LTX23,
    path="split_files/loras/"
    "ltx_2.3_22b_distilled_1.1_lora_dynamic_fro09_avg_rank_111_bf16.safetensors",
    folder="loras",
    size_bytes=2_741_024_390,
    sha256="31e0c0195fb841bf31af78e8b60858f489e87ddcea4a5239abc80943da65e3ac",
    licence=LTX2_LICENCE,
)
CONTROL = ModelFile(
    repo="Lightricks/LTX-2.3-22b-IC-LoRA-Union-Control",
    revision=_UNION_CONTROL,
    path="ltx-2.3-22b-ic-lora-union-control-ref0.5.safetensors",
    folder="loras",
    size_bytes=654_465_352,
    sha256="a1b888a87f661d27f08b394ae559e8e1050be33900bcc36a5cdf659e48f88d18",
    licence=LTX2_LICENCE,
)
