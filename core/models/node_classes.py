"""ComfyUI's node classes that graphs of one family have and those of others have not."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeClasses:
    """Names of classes, by what a node of them does in a graph."""

    guide: str  # appends guide frames to a latent
    upscaler: str  # of latents
    audio_decoder: str
    audio_latent: tuple[str, str]  # class of an empty sound, and its input for the length in frames
    text: frozenset[str]  # work on conditioning
    control: frozenset[str]  # read or use what a control LoRA says of its guide clip
    same_size: Mapping[str, str]  # class: its picture input, whose size its output has
    rounders: Mapping[str, str]  # class: its input, a number that it hands on as a whole one
    loaders: Mapping[str, str]  # class: the input that names its file
    guidance: Mapping[str, str]  # class: the value that a form of it needs
    encoder_input: str  # of a pack's loader, which names the file of the text encoder


LTX_NODES = NodeClasses(
    guide="LTXVAddGuide",
    upscaler="LTXVLatentUpsampler",
    audio_decoder="LTXVAudioVAEDecode",
    audio_latent=("LTXVEmptyLatentAudio", "frames_number"),
    text=frozenset({"LTXVConditioning"}),
    control=frozenset({"LTXAddVideoICLoRAGuide", "GetICLoRAParameters"}),
    same_size={"LTXVPreprocess": "image"},
    rounders={"LTXFloatToInt": "a"},
    loaders={"LTXAVTextEncoderLoader": "text_encoder", "LTXVAudioVAELoader": "ckpt_name"},
    guidance={
        "LTXVModalityGuidance": "modality",
        "LTXVSpatioTemporalGuidance": "perturbation",
    },
    encoder_input="gemma_path",
)
