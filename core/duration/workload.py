"""What a request costs, before any hardware is known: FLOP and bytes of each part of a run.

A closed form of the request alone; no graph is read, no file opened.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.progress import Stage
from core.models.architecture import SPATIAL_STRIDE, TEMPORAL_STRIDE, Transformer
from core.models.catalog import FAMILY

TRANSFORMER, CODEC = FAMILY.architecture.transformer, FAMILY.architecture.codec
TEXT, WEIGHTS = FAMILY.architecture.text, FAMILY.architecture.weights

MASK_FACTOR = 1.8  # a guide of strength ≠ 1 masks self-attention, which then runs so much slower
_WITH_CONNECTORS = 22.15e9  # parameters in the transformer's file, text connectors among them
EAGER_PASSES = 80.0  # times a block reads or writes all its tokens outside matrix products


class Part(StrEnum):
    """What is timed apart from the rest."""

    LOAD = "load"
    TEXT = "text"
    PREPARE = "prepare"
    STAGE1 = "stage1"
    UPSCALE = "upscale"
    STAGE2 = "stage2"
    DECODE = "decode"
    AUDIO_DECODE = "audio_decode"
    VIDEO_ENCODE = "video_encode"

    @property
    def stage(self) -> Stage:
        """Return the stage of the progress bar that this part belongs to."""
        match self:
            case Part.AUDIO_DECODE:
                return Stage.DECODE
            case Part.VIDEO_ENCODE:
                return Stage.ENCODE
            case _:
                return Stage(self.value)

    @property
    def on_gpu(self) -> bool:
        """Tell whether the requester pays for it: loading and encoding are free."""
        return self not in {Part.LOAD, Part.VIDEO_ENCODE}


@dataclass(frozen=True, slots=True)
class PartCost:
    """The cost of one part."""

    part: Part
    flops: float = 0.0
    bytes: float = 0.0  # through the device's memory
    passes: float = 0.0  # runs of a language-size network, each at least as long as its launches
    slow_flops: float = 0.0  # added where an operation cannot use the fast kernel
    host_bytes: float = 0.0  # through the host's memory

    @property
    def effort(self) -> float:
        """Return the FLOP that time is proportional to."""
        return self.flops + self.slow_flops


@dataclass(frozen=True, slots=True)
class Tokens:
    """How long the three sequences of one forward are."""

    video: int
    audio: int
    text: int = TRANSFORMER.context


def voxels(width: int, height: int, frames: int) -> int:
    """Return the latent voxels, which are the transformer's video tokens.

    Args:
        width: px.
        height: px.
        frames: 8k+1.
    """
    per_frame = (width // SPATIAL_STRIDE) * (height // SPATIAL_STRIDE)
    return ((frames - 1) // TEMPORAL_STRIDE + 1) * per_frame


def attention_flops(tokens: Tokens, net: Transformer = TRANSFORMER) -> float:
    """Return the FLOP of one forward's attention of the video to itself: quadratic."""
    return net.blocks * 4.0 * tokens.video**2 * net.video_width


def forward_flops(tokens: Tokens, net: Transformer = TRANSFORMER) -> float:
    """Return the FLOP of one run of the transformer over one conditioning branch."""
    stream = _stream_flops(tokens.video, net.video_width, net)
    stream += _stream_flops(tokens.audio, net.audio_width, net)
    to_text = 4.0 * tokens.text * (tokens.video * net.video_width + tokens.audio * net.audio_width)
    prompt = 4.0 * tokens.text * (net.video_width**2 + net.audio_width**2)  # its keys and values
    bridges = 8.0 * tokens.video * tokens.audio * net.bridge_width
    audio_self = 4.0 * tokens.audio**2 * net.audio_width
    ends = tokens.video * net.video_width + tokens.audio * net.audio_width  # patches in and out
    blocks = net.blocks * (stream + to_text + prompt + bridges + audio_self)
    return blocks + attention_flops(tokens, net) + 4.0 * net.latent_channels * ends


def _stream_flops(count: int, width: int, net: Transformer) -> float:
    """Return the matrix products of one block over ``count`` tokens, with bridges and gates."""
    products = net.matrices() * width**2 + 4 * width * net.bridge_width + 3 * width * net.heads
    return 2.0 * count * products


def forward_bytes(tokens: Tokens, weight_bytes: float, net: Transformer = TRANSFORMER) -> float:
    """Return the bytes of one forward: every weight once, and activations between the products.

    Args:
        tokens: lengths of the sequences.
        weight_bytes: of the transformer as it lies in memory.
        net: whose sizes.
    """
    wide = tokens.video * net.video_width + tokens.audio * net.audio_width
    return weight_bytes + net.blocks * EAGER_PASSES * 2.0 * wide


@dataclass(frozen=True, slots=True)
class SamplingStage:
    """One sampling stage: at the clip's size divided by ``shrink``."""

    part: Part
    steps: int
    shrink: int = 1
    branches: int = 1  # forwards a step: one for each branch of guidance
    guide_frames: int = 0  # latent frames appended as guides
    guide_clip: float = 0.0  # a whole guide clip, relative to the clip's own tokens
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Tiling:
    """How the decoder cuts a latent, in voxels; neighbours overlap.

    The default is what is never exceeded where memory is to be saved.
    """

    side: int = 24  # 768 px
    overlap: int = 2  # 64 px

    @property
    def px(self) -> int:
        """Return the side of a tile in pixels."""
        return self.side * SPATIAL_STRIDE

    def factor(self, width: int, height: int) -> float:
        """Return how many times the work of an uncut decode the tiles do, ≥ 1."""
        return self._along(width // SPATIAL_STRIDE) * self._along(height // SPATIAL_STRIDE)

    def _along(self, length: int) -> float:
        if length <= self.side:
            return 1.0
        starts = range(0, length - self.overlap, self.side - self.overlap)
        return sum(min(self.side, length - start) for start in starts) / length


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """Everything that a run does, in numbers; :mod:`core.duration.sampling_plan` makes it."""

    width: int  # px
    height: int
    frames: int
    fps: float
    samplings: tuple[SamplingStage, ...]
    prompts: int = 1
    written: int = 0  # tokens that the text encoder writes, one pass each
    images: int = 0  # input pictures, encoded once a stage
    clip_shrink: int = (
        0  # the control clip is encoded at the size divided by this; 0: there is none
    )
    control_flops: float = 0.0  # of the networks that look at a frame of the control clip
    shown_frames: int = 0  # of a film that goes on, encoded in every stage
    doubled: bool = False  # a frame is put between every two before they are decoded
    decodes_audio: bool = True
    profile: str = "bf16"
    tiling: Tiling | None = None  # None decodes the whole frame at once
    upscaler_travels: bool = True  # to the device and back, in every run

    @property
    def seconds(self) -> float:
        """Return how long the clip plays."""
        return self.frames / self.fps

    @property
    def voxels(self) -> int:
        """Return the latent voxels at full size."""
        return voxels(self.width, self.height, self.frames)

    @property
    def decoded(self) -> int:
        """Return the latent voxels that are decoded."""
        return voxels(self.width, self.height, self.decoded_frames)

    @property
    def decoded_frames(self) -> int:
        """Return how many frames come out."""
        return 2 * (self.frames - 1) + 1 if self.doubled else self.frames


def part_costs(plan: SamplingPlan) -> tuple[PartCost, ...]:
    """Compute the cost of each part of ``plan``, in the order of a run, without loading."""
    if plan.profile == "draft":  # frames are drawn, not sampled: their bytes are the work
        drawn = 3.0 * plan.width * plan.height * plan.decoded_frames
        return PartCost(Part.STAGE1, bytes=drawn), _encode(plan)
    sampled = [_sample(plan, sampling) for sampling in plan.samplings]
    found = [_text(plan), _prepare(plan), sampled[0]]
    if len(sampled) > 1:
        found += [_upscale(plan), *sampled[1:]]
    found += [_decode(plan), _audio(plan), _encode(plan)]
    return tuple(work for work in found if work is not None)


def _text(plan: SamplingPlan) -> PartCost:
    passes = plan.prompts + plan.written
    tokens = TEXT.tokens * (plan.prompts + (2 if plan.written else 0)) + plan.written
    flops = 2.0 * tokens * TEXT.parameters  # instructions and a picture are about two prompts
    return PartCost(Part.TEXT, flops, WEIGHTS[plan.profile].text * passes, passes)


def _prepare(plan: SamplingPlan) -> PartCost | None:
    shrinks = {sampling.shrink for sampling in plan.samplings}
    pictures = sum(voxels(plan.width // s, plan.height // s, 1) for s in shrinks) * plan.images
    flops = CODEC.encode_image_flops * pictures
    if plan.shown_frames:
        for s in shrinks:
            shown = voxels(plan.width // s, plan.height // s, plan.shown_frames)
            flops += CODEC.encode_flops * shown
    if plan.clip_shrink:
        shrunk = (plan.width // plan.clip_shrink, plan.height // plan.clip_shrink)
        flops += CODEC.encode_flops * voxels(*shrunk, plan.frames)
        flops += plan.control_flops * plan.frames
    if not flops:
        return None
    return PartCost(Part.PREPARE, flops, flops / CODEC.encode_flops * CODEC.activation_bytes)


def _sample(plan: SamplingPlan, sampling: SamplingStage) -> PartCost:
    width, height = plan.width // sampling.shrink, plan.height // sampling.shrink
    own = voxels(width, height, plan.frames)
    guides = sampling.guide_frames * voxels(width, height, 1)
    video = own + guides + round(own * sampling.guide_clip)
    tokens = Tokens(video, round(plan.seconds * CODEC.audio_tokens))
    count = sampling.steps * sampling.branches
    slow = (MASK_FACTOR - 1) * attention_flops(tokens) if sampling.masked else 0.0
    return PartCost(
        sampling.part,
        flops=count * forward_flops(tokens),
        bytes=count * forward_bytes(tokens, _forward_weights(plan.profile)),
        passes=count,
        slow_flops=count * slow,
    )


def _forward_weights(profile: str) -> float:
    """Return the bytes that each forward reads: the transformer without its text connectors."""
    return WEIGHTS[profile].transformer * TRANSFORMER.parameters / _WITH_CONNECTORS


def _upscale(plan: SamplingPlan) -> PartCost:
    shrink = plan.samplings[0].shrink
    count = voxels(plan.width // shrink, plan.height // shrink, plan.frames)
    moved = CODEC.upscaler_bytes + CODEC.activation_bytes / 8 * count
    travelled = 2 * CODEC.upscaler_bytes if plan.upscaler_travels else 0.0
    return PartCost(Part.UPSCALE, CODEC.upscale_flops * count, moved, host_bytes=travelled)


def _decode(plan: SamplingPlan) -> PartCost:
    tiling = plan.tiling
    factor = tiling.factor(plan.width, plan.height) if tiling else 1.0
    count = plan.decoded * factor
    between = CODEC.double_flops * plan.voxels if plan.doubled else 0.0
    pixels = TEMPORAL_STRIDE * SPATIAL_STRIDE**2 * 3 * 4  # float32 RGB of a voxel, blended in RAM
    return PartCost(
        Part.DECODE,
        CODEC.decode_flops * count + between,
        CODEC.activation_bytes * count,
        host_bytes=count * pixels if tiling else 0.0,
    )


def _audio(plan: SamplingPlan) -> PartCost | None:
    if not plan.decodes_audio:
        return None
    seconds = plan.seconds
    return PartCost(Part.AUDIO_DECODE, CODEC.audio_flops * seconds, CODEC.audio_bytes * seconds)


def _encode(plan: SamplingPlan) -> PartCost:
    return PartCost(
        Part.VIDEO_ENCODE, host_bytes=3.0 * plan.width * plan.height * plan.decoded_frames
    )
