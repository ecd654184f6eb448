"""Requests of every mode, and exports as ComfyUI's editor would save them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.comfy.staging import staged_name
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, Mode
from core.domain.presets import PRESETS, Preset
from core.domain.requests import Request, Sampling, make_request
from core.models.catalog import Profile, names
from core.workflow.bind import BoundWorkflow, bind
from core.workflow.guides import guides_of
from core.workflow.heard_sound import HeardSound
from core.workflow.input_files import inputs_of
from core.workflow.library import load
from core.workflow.values import MachineChoices

_KINDS = {
    MediaKind.IMAGE: MediaFile("", ".png", MediaKind.IMAGE, 10, 640, 480),
    MediaKind.AUDIO: MediaFile("", ".flac", MediaKind.AUDIO, 10, seconds=5, sample_rate=48000),
    MediaKind.VIDEO: MediaFile("", ".mp4", MediaKind.VIDEO, 10, 640, 480, 5.0, 30.0),
}
_NAMED = {  # files whose names stand in the golden graphs
    "image": MediaFile("a" * 64, ".png", MediaKind.IMAGE, 10, 640, 480),
    "first": MediaFile("b" * 64, ".png", MediaKind.IMAGE, 10, 640, 480),
    "last": MediaFile("c" * 64, ".png", MediaKind.IMAGE, 10, 640, 480),
    "audio": MediaFile("d" * 64, ".flac", MediaKind.AUDIO, 10, seconds=5, sample_rate=48000),
    "video": MediaFile("e" * 64, ".mp4", MediaKind.VIDEO, 10, 640, 480, 5.0, 30.0),
}
FILES = {
    slot.role: replace(_KINDS[slot.kind], sha256=hashlib.sha256(slot.role.encode()).hexdigest())
    for spec in MODES.values()
    for slot in spec.every_slot
} | _NAMED
Ask = Callable[..., Request]
Fill = Callable[..., BoundWorkflow]
Export = Callable[..., dict[str, Any]]


def asked(
    mode: Mode,
    preset: Preset = Preset.FAST,
    prompt: str = "a fox runs through snow",
    media: Mapping[str, MediaFile] | None = None,
    more: int = 0,
    **sampling: Any,
) -> Request:
    size = PRESETS[preset].size
    values = {"width": size.width, "height": size.height, "frames": 121, "fps": 24, "seed": 7}
    files = {**FILES, **(media or {})}
    slots = MODES[mode].every_slot[: len(MODES[mode].slots) + more]
    roles = {slot.role: files[slot.role] for slot in slots}
    return make_request(mode, prompt, Sampling(preset, **{**values, **sampling}), roles)


def filled(request: Request, *, guided: bool = False, tile: int = 0) -> BoundWorkflow:
    workflow = load(request.mode, None)
    staged = {
        item.role: staged_name(item) if isinstance(item.control, HeardSound) else item.file.name
        for item in inputs_of(workflow, request)
    }
    choices = MachineChoices(guided=guided, tile=tile)
    return bind(workflow, request, names(Profile.FP8), staged, "job-1", choices)


@pytest.fixture
def ask() -> Ask:
    return asked


@pytest.fixture
def fill() -> Fill:
    return filled


@pytest.fixture
def files() -> dict[str, MediaFile]:
    return dict(FILES)


@pytest.fixture
def with_sound() -> MediaFile:
    return replace(FILES["video"], sha256="f" * 64, sample_rate=48000)


class Editor:
    """Builds an export node by node, as somebody with the ten packs wires it."""

    def __init__(self) -> None:
        self.nodes: dict[str, Any] = {}

    def add(self, key: str, kind: str, title: str = "", **inputs: Any) -> list[Any]:
        plain = {name.replace("__", "."): value for name, value in inputs.items()}
        self.nodes[key] = {
            "class_type": kind,
            "inputs": plain,
            "_meta": {"title": title or kind},
        }
        return [key, 0]


def _base(e: Editor) -> None:
    """Loaders, numbers and inputs: all of them in every export, used or not."""
    e.add("101", "LatentUpscaleModelLoader", model_name="up-x2.safetensors")
    e.add("146", "DualCLIPLoader", clip_name1="te.safetensors", clip_name2="proj.safetensors",
          type="ltxv", device="default")  # fmt: skip
    for key, name in (("174", "video_vae"), ("175", "audio_vae")):
        e.add(key, "VAELoaderKJ", vae_name=f"{name}.safetensors", device="main_device",
              weight_dtype="bf16")  # fmt: skip
    e.add("366", "UnetLoaderGGUF", unet_name="model.gguf")
    row = {"on": True, "lora": "ltx-2.3-distilled.safetensors", "strength": 0.6}
    other = {"on": True, "lora": "ltx-2-19b-camera-dolly.safetensors", "strength": 1}
    e.add("211", "Power Lora Loader (rgthree)", lora_1=row, lora_2=other, model=["366", 0],
          clip=["146", 0])  # fmt: skip
    e.add("700", "LTXVChunkFeedForward", chunks=4, dim_threshold=4096, model=["211", 0])
    e.add("196", "mxSlider", "Clip Length ( in seconds )", Xi=6, Xf=6, isfloatX=0)
    e.add("5382", "INTConstant", "Height", value=1280)
    e.add("5383", "INTConstant", "Width", value=720)
    e.add("5445", "INTConstant", "FPS", value=25)
    e.add("5446", "CM_IntToFloat", a=["5445", 0])
    e.add("5442", "CM_IntToFloat", a=["196", 0])
    e.add("5387", "MathExpression|pysssss", expression="a*b+1", a=["196", 0], b=["5445", 0])
    e.add("fps", "PrimitiveFloat", "fps", value=["5446", 0])
    e.add("fps_int", "CM_FloatToInt", a=["fps", 0])
    e.add("149", "LoadImage", "Load Image1", image="mine.jpg")
    e.add("5437", "LoadImage", "Load Image2", image="mine2.png")
    e.add("5400", "VHS_LoadAudioUpload", audio="mine.mp3", start_time=2.5, duration=["5442", 0])
    e.add("5401", "PreviewAudio", audio=["5400", 0])
    e.add("5444", "VHS_LoadVideo", video="mine.mp4", force_rate=["5446", 0], custom_width=0,
          custom_height=0, frame_load_cap=["5387", 0], skip_first_frames=266,
          select_every_nth=1, format="AnimateDiff")  # fmt: skip
    for key, source in (("5429", "149"), ("5434", "5437"), ("5458", "5444")):
        e.add(key, "ResizeImageMaskNode", input=[source, 0], resize_type="scale dimensions",
              resize_type__width=["5383", 0], resize_type__height=["5382", 0],
              resize_type__crop="center", scale_method="lanczos")  # fmt: skip
    e.add("5536", "CLIPTextEncode", "positive", text="a man talks", clip=["146", 0])
    e.add("5537", "CLIPTextEncode", "negative", text="blurry", clip=["146", 0])
    e.add("cond", "LTXVConditioning", frame_rate=["fps", 0], positive=["5536", 0],
          negative=["5537", 0])  # fmt: skip
    e.add("euler", "KSamplerSelect", sampler_name="euler")
    e.add("noise", "RandomNoise", noise_seed=42)


def _half_latent(e: Editor) -> list[Any]:
    e.add("black", "EmptyImage", width=["5383", 0], height=["5382", 0], batch_size=1, color=0)
    e.add("halved", "ImageScaleBy", upscale_method="lanczos", scale_by=0.5, image=["black", 0])
    e.add("size", "GetImageSize", image=["halved", 0])
    return e.add("latent", "EmptyLTXVLatentVideo", width=["size", 0], height=["size", 1],
                 length=["5387", 0], batch_size=1)  # fmt: skip


def _sound_latent(e: Editor, mode: Mode) -> list[Any]:
    if guides_of(mode).keeps_sound:
        e.add("heard", "LTXVAudioVAEEncode", audio=["5400", 0], audio_vae=["175", 0])
        e.add("zero", "SolidMask", value=0, width=["size", 0], height=["size", 1])
        return e.add("frozen", "SetLatentNoiseMask", samples=["heard", 0], mask=["zero", 0])
    return e.add("silence", "LTXVEmptyLatentAudio", frames_number=["5387", 0],
                 frame_rate=["fps_int", 0], batch_size=1, audio_vae=["175", 0])  # fmt: skip


def _sample(e: Editor, stage: str, sigmas: str, conds: tuple[Any, Any], latent: Any) -> list[Any]:
    positive, negative = conds
    e.add(f"sigmas{stage}", "ManualSigmas", sigmas=sigmas)
    e.add(f"guider{stage}", "CFGGuider", cfg=1, model=["700", 0], positive=positive,
          negative=negative)  # fmt: skip
    e.add(f"sampler{stage}", "SamplerCustomAdvanced", noise=["noise", 0],
          guider=[f"guider{stage}", 0], sampler=["euler", 0], sigmas=[f"sigmas{stage}", 0],
          latent_image=latent)  # fmt: skip
    return e.add(f"parts{stage}", "LTXVSeparateAVLatent", av_latent=[f"sampler{stage}", 0])


def _guides(e: Editor, stage: str, latent: Any) -> tuple[tuple[Any, Any], Any]:
    """Two pictures in one node; the last frame is given first, so only the index tells."""
    key = f"guides{stage}"
    e.add(key, "LTXVAddGuideMulti", positive=["cond", 0], negative=["cond", 1], vae=["174", 0],
          latent=latent, num_guides="2", num_guides__image_1=["5434", 0],
          num_guides__frame_idx_1=0, num_guides__strength_1=1, num_guides__image_2=["5429", 0],
          num_guides__frame_idx_2=-1, num_guides__strength_2=0.8)  # fmt: skip
    return ([key, 0], [key, 1]), [key, 2]


def _picture(e: Editor, mode: Mode, stage: str, latent: Any) -> tuple[tuple[Any, Any], Any]:
    if guides_of(mode).frames:
        return _guides(e, stage, latent)
    if guides_of(mode).images:
        latent = e.add(f"inplace{stage}", "LTXVImgToVideoInplace", strength=0.8, bypass=False,
                       vae=["174", 0], image=["pressed", 0], latent=latent)  # fmt: skip
    return (["cond", 0], ["cond", 1]), latent


def _two_stages(e: Editor, mode: Mode) -> tuple[Any, Any]:
    latent = _half_latent(e)
    sound = _sound_latent(e, mode)
    if guides_of(mode).images and not guides_of(mode).frames:
        e.add("longer", "ResizeImagesByLongerEdge", longer_edge=1024, images=["5429", 0])
        e.add("pressed", "LTXVPreprocess", img_compression=33, image=["longer", 0])
    conds, latent = _picture(e, mode, "1", latent)
    e.add("both1", "LTXVConcatAVLatent", video_latent=latent, audio_latent=sound)
    latent = _sample(e, "1", "1.0, 0.9, 0.7, 0.4, 0.0", conds, ["both1", 0])
    e.add("crop", "LTXVCropGuides", positive=conds[0], negative=conds[1], latent=latent)
    e.add("up", "LTXVLatentUpsampler", samples=["crop", 2], upscale_model=["101", 0],
          vae=["174", 0])  # fmt: skip
    conds, latent = _picture(e, mode, "2", ["up", 0])
    e.add("both2", "LTXVConcatAVLatent", video_latent=latent, audio_latent=["parts1", 1])
    latent = _sample(e, "2", "0.8, 0.6, 0.3, 0.0", conds, ["both2", 0])
    return latent, ["parts2", 1]


def _restyle(e: Editor, mode: Mode) -> tuple[Any, Any]:
    """One stage, the size of the pose map, the sound of the source video."""
    e.add("5376", "LTXICLoRALoaderModelOnly", lora_name="ltx-2.3-union.safetensors",
          strength_model=1, model=["211", 0])  # fmt: skip
    e.add("pose", "DWPreprocessor", image=["5458", 0], detect_hand="enable", detect_body="enable",
          detect_face="enable", resolution=1024, bbox_detector="yolox_l.onnx",
          pose_estimator="dw-ll_ucoco_384.onnx", scale_stick_for_xinsr_cn="enable")  # fmt: skip
    e.add("size", "GetImageSize", image=["pose", 0])
    e.add("latent", "EmptyLTXVLatentVideo", width=["size", 0], height=["size", 1],
          length=["5387", 0], batch_size=1)  # fmt: skip
    e.add("look", "LTXVImgToVideoConditionOnly", vae=["174", 0], image=["5429", 0],
          latent=["latent", 0], strength=1.0, bypass=False)  # fmt: skip
    e.add("guide", "LTXAddVideoICLoRAGuide", positive=["cond", 0], negative=["cond", 1],
          vae=["174", 0], latent=["look", 0], image=["pose", 0], frame_idx=0, strength=0.75,
          latent_downscale_factor=["5376", 1], crop="disabled", use_tiled_encode=False,
          tile_size=256, tile_overlap=64)  # fmt: skip
    sound = _sound_latent(e, mode)
    e.add("both1", "LTXVConcatAVLatent", video_latent=["guide", 2], audio_latent=sound)
    conds = (["guide", 0], ["guide", 1])
    latent = _sample(e, "1", "1.0, 0.9, 0.7, 0.4, 0.0", conds, ["both1", 0])
    e.add("crop", "LTXVCropGuides", positive=conds[0], negative=conds[1], latent=latent)
    return ["crop", 2], ["5444", 2]


def exported(mode: Mode, saver: str = "VHS_VideoCombine") -> dict[str, Any]:
    e = Editor()
    _base(e)
    restyles = bool(guides_of(mode).clip_shrink)
    latent, sound = _restyle(e, mode) if restyles else _two_stages(e, mode)
    e.add("frames", "VAEDecodeTiled", tile_size=512, overlap=64, temporal_size=512,
          temporal_overlap=4, samples=latent, vae=["174", 0])  # fmt: skip
    if guides_of(mode).keeps_sound:
        sound = ["5400", 0]
    elif not restyles:
        sound = e.add("voice", "LTXVAudioVAEDecode", samples=sound, audio_vae=["175", 0])
    e.add("final", "FinalFrameSelector", images=["frames", 0])
    e.add("217", "Any Switch (rgthree)", "Any Switch image", any_04=["frames", 0])
    e.add("218", "Any Switch (rgthree)", "Any Switch audio", any_02=sound)
    if saver == "SaveVideo":
        e.add("made", "CreateVideo", images=["217", 0], audio=["218", 0], fps=["5446", 0])
        e.add("188", "SaveVideo", "Save", video=["made", 0], filename_prefix="x", format="auto",
              codec="auto")  # fmt: skip
    else:
        e.add("188", "VHS_VideoCombine", "Video Combine", frame_rate=["5446", 0], loop_count=0,
              filename_prefix="x", format="video/h264-mp4", pix_fmt="yuv420p", crf=8,
              pingpong=False, save_output=True, images=["217", 0], audio=["218", 0])  # fmt: skip
    return e.nodes


@pytest.fixture
def export() -> Export:
    return exported
