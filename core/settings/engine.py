"""What makes the clips: ComfyUI and the model files."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core.runtime.paths import Place
from core.settings.area import Area, ReadFrom
from core.settings.kinds import WebAddress


class ComfySettings(Area):
    """ComfyUI: ``core/comfy`` and ``clapper comfy``."""

    prefix = "CLAPPER_COMFYUI_"

    dir: Place | None = None  # its checkout; empty: core/comfy/paths.py decides
    packs: bool = False  # load the node packs too, for a workflow of your own
    # how models share the GPU's memory
    vram: Annotated[Literal["auto", "high", "normal", "low"], ReadFrom("CLAPPER_VRAM")] = "auto"
    # false: compute exactly as ComfyUI does, to compare or to rule this out
    accelerate: Annotated[bool, ReadFrom("CLAPPER_ACCELERATE")] = True
    # H.264 compression (CRF) of given pictures before the model sees them; empty: the model's own
    image_compression: int | None = Field(default=None, ge=0, le=100)
    # true: compute in 8 bits where the card can, about twice as fast; of unproven quality
    fast: Annotated[bool, ReadFrom("CLAPPER_FAST")] = False
    # package index to take torch from, e.g. one of CPU builds
    torch_index: Annotated[str, ReadFrom("CLAPPER_TORCH_INDEX")] = ""


class ModelSettings(Area):
    """Model files: ``core/models`` and ``clapper models``."""

    # for 96 GB; from 32 GB; 16 to 24 GB; 12 to 16 GB
    profile: Annotated[
        Literal["bf16", "fp8", "low", "small"], ReadFrom("CLAPPER_MODEL_PROFILE")
    ] = "fp8"
    # ComfyUI's models folder; empty: models in data_dir
    dir: Annotated[Place | None, ReadFrom("CLAPPER_MODELS_DIR")] = None
    hub_cache: Place | None = None  # empty: huggingface_hub's own cache
    hub_preloaded: Place | None = None  # a hub cache only read, e.g. one in an image
    hub_endpoint: Annotated[WebAddress, ReadFrom("CLAPPER_HUB_ENDPOINT", "HF_ENDPOINT")] = (
        "https://huggingface.co"
    )
    hf_token: Annotated[SecretStr | None, ReadFrom("CLAPPER_HF_TOKEN", "HF_TOKEN")] = None
    # for machines without a terminal; the operator read them
    accept_licences: Annotated[bool, ReadFrom("CLAPPER_ACCEPT_MODEL_LICENCES")] = False
