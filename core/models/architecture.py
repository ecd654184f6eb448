"""What LTX-2.3 is made of, as numbers: the facts that a cost is computed from.

A multiply-add counts as two FLOP and attention as dense. The transformer's figures follow from its
layer sizes; the codec figures are FLOP per latent voxel, counted on the modules' own operations.
"""

from dataclasses import dataclass, field

GIGA = 1e9
TERA = 1e12

SPATIAL_STRIDE = 32  # px of one latent voxel's side
TEMPORAL_STRIDE = 8  # frames of one latent voxel, after the leading one


@dataclass(frozen=True, slots=True)
class Transformer:
    """The audio and video transformer: two streams of tokens that look at each other."""

    blocks: int = 48
    heads: int = 32
    video_width: int = 4096  # 32 heads × 128
    audio_width: int = 2048  # 32 heads × 64
    bridge_width: int = 2048  # inner width of the attention between the two streams
    feed_forward: int = 4  # its hidden layer is so many widths
    latent_channels: int = 128
    context: int = 1024  # prompt tokens, always padded to this
    parameters: float = 18.99 * GIGA

    def matrices(self) -> int:
        """Return how many width × width products a token meets in a block, its bridges aside."""
        return 4 + 2 + 2 * self.feed_forward  # self q k v o, text q o, feed-forward in and out


@dataclass(frozen=True, slots=True)
class Codec:
    """Video autoencoder, latent upscaler and audio decoder."""

    decode_flops: float = 19.35 * GIGA  # a latent voxel
    encode_flops: float = 18.5 * GIGA  # a latent voxel of a clip
    encode_image_flops: float = 4.4 * GIGA  # a latent voxel of a single picture
    upscale_flops: float = 2.38 * GIGA  # a voxel before upscaling
    # a voxel before it: twice the values of 4 blocks and the layer that doubles, and of 4 more for
    # each of the two that come out
    double_flops: float = 0.37 * GIGA
    activation_bytes: float = 5e6  # written and read while one voxel is decoded
    upscaler_bytes: float = 1.0 * GIGA
    audio_flops: float = 0.35 * TERA  # a second of sound, with its vocoder
    audio_bytes: float = 2.0 * GIGA  # a second of sound
    audio_tokens: float = 25.0  # a second of sound


@dataclass(frozen=True, slots=True)
class ControlNetworks:
    """What sees depth and people in a source: FLOP of one frame, by the layers of the networks.

    Depth: a ViT-L on about 860 patches and its head. Pose: for each of two people, a latent encoder
    and a UNet of 0.87 billion parameters on 768×1024 px.
    """

    depth: float = 1.0 * TERA
    pose: float = 12.0 * TERA


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """Gemma 3 12B, the projection of all its layers, and the connectors to the transformer."""

    tokens: int = 1024
    parameters: float = (10.8 + 1.16 + 2.01) * GIGA


@dataclass(frozen=True, slots=True)
class Weights:
    """The files of one profile: bytes that are read, moved and kept."""

    profile: str
    transformer: float  # bytes
    text: float
    rest: float  # autoencoders, upscaler, vocoder

    @property
    def total(self) -> float:
        """Return the bytes of everything."""
        return self.transformer + self.text + self.rest


@dataclass(frozen=True, slots=True)
class Architecture:
    """The networks of one family as numbers."""

    transformer: Transformer
    codec: Codec
    text: TextEncoder
    weights: dict[str, Weights]  # by profile
    control: ControlNetworks = field(default_factory=ControlNetworks)


_WEIGHTS: dict[str, Weights] = {
    item.profile: item
    for item in (
        Weights("bf16", transformer=44.3 * GIGA, text=24.5 * GIGA, rest=3.1 * GIGA),
        Weights("fp8", transformer=27.6 * GIGA, text=9.45 * GIGA, rest=3.1 * GIGA),
        Weights("low", transformer=27.6 * GIGA, text=9.45 * GIGA, rest=3.1 * GIGA),
        Weights("small", transformer=23.8 * GIGA, text=9.45 * GIGA, rest=3.1 * GIGA),
        Weights("draft", transformer=0, text=0, rest=0),
    )
}

LTX_ARCHITECTURE = Architecture(Transformer(), Codec(), TextEncoder(), _WEIGHTS)
