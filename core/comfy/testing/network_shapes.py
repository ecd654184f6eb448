"""Sizes of the networks: the published ones, and the smallest that still run.

``config`` is what the published checkpoint carries in its metadata, in its own words.
"""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any


@dataclass(frozen=True, slots=True)
class NetworkShapes:
    """Everything that decides the shape of a tensor."""

    config: dict[str, Any]
    upscaler: dict[str, Any]
    video_width: int  # of the transformer, and of the text for it
    audio_width: int
    text_width: int  # of the text encoder
    lora_rank: int
    gemma: dict[str, int] = field(default_factory=dict[str, int])  # empty: as published


def _transformer(layers: int, heads: int, head: int, connector_layers: int) -> dict[str, Any]:
    return {
        "num_layers": layers,
        "num_attention_heads": heads,
        "attention_head_dim": head,
        "cross_attention_dim": heads * head,
        "audio_num_attention_heads": heads,
        "audio_attention_head_dim": head // 2,
        "audio_cross_attention_dim": heads * head // 2,
        "caption_channels": 3840,
        "caption_proj_before_connector": True,
        "caption_projection_first_linear": False,
        "cross_attention_adaln": True,
        "apply_gated_attention": True,
        "connector_apply_gated_attention": True,
        "connector_num_layers": connector_layers,
        "connector_num_attention_heads": heads,
        "connector_attention_head_dim": head,
        "audio_connector_num_attention_heads": heads,
        "audio_connector_attention_head_dim": head // 2,
        "rope_type": "split",
        "frequencies_precision": "float64",
        "causal_temporal_positioning": True,
        "use_middle_indices_grid": True,
        "timestep_scale_multiplier": 1000,
        "av_ca_timestep_scale_multiplier": 1000.0,
    }


def _video_vae(base: int, layers: tuple[int, ...]) -> dict[str, Any]:
    """Return a VAE with so many residual layers at each level, from the picture inwards."""
    res = [["res_x", {"num_layers": count}] for count in layers]
    down: list[list[Any]] = [
        ["compress_space_res", {"multiplier": 2}],
        ["compress_time_res", {"multiplier": 2}],
        ["compress_all_res", {"multiplier": 2}],
        ["compress_all_res", {"multiplier": 1}],
    ]
    up: list[list[Any]] = [
        ["compress_space", {"multiplier": 2}],
        ["compress_time", {"multiplier": 2}],
        ["compress_all", {"multiplier": 1}],
        ["compress_all", {"multiplier": 2}],
    ]
    encoder_blocks = [res[0], *chain.from_iterable(zip(down, res[1:], strict=True))]
    decoder_blocks = [res[0], *chain.from_iterable(zip(up, res[1:], strict=True))]
    return {
        "dims": 3,
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": 128,
        "encoder_blocks": encoder_blocks,
        "decoder_blocks": decoder_blocks,
        "encoder_base_channels": base,
        "decoder_base_channels": base,
        "norm_layer": "pixel_norm",
        "patch_size": 4,
        "latent_log_var": "uniform",
        "causal_decoder": False,
        "timestep_conditioning": False,
        "spatial_padding_mode": "zeros",
    }


def _audio_vae(channels: int) -> dict[str, Any]:
    autoencoder = {
        "double_z": True,
        "mel_bins": 64,
        "z_channels": 8,
        "resolution": 256,
        "in_channels": 2,
        "out_ch": 2,
        "ch": channels,
        "ch_mult": [1, 2, 4],
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "mid_block_add_attention": False,
        "norm_type": "pixel",
        "causality_axis": "height",
    }
    return {
        "model": {"params": {"ddconfig": autoencoder, "sampling_rate": 16000}},
        "preprocessing": {"stft": {"filter_length": 1024, "hop_length": 160}},
    }


def _vocoder(channels: int, extension: int) -> dict[str, Any]:
    """Return the vocoder to 16 kHz and its extension to 48 kHz, by their widest layers."""
    common = {
        "resblock": "AMP1",
        "activation": "snakebeta",
        "stereo": True,
        "use_tanh_at_final": False,
        "use_bias_at_final": False,
    }
    return {
        "vocoder": {
            **common,
            "upsample_initial_channel": channels,
            "upsample_rates": [5, 2, 2, 2, 2, 2],  # 160 samples a mel frame
            "upsample_kernel_sizes": [11, 4, 4, 4, 4, 4],
        },
        "bwe": {
            **common,
            "upsample_initial_channel": extension,
            "upsample_rates": [6, 5, 2, 2, 2],  # 80 samples at 16 kHz, 240 at 48 kHz
            "upsample_kernel_sizes": [12, 11, 4, 4, 4],
            "input_sampling_rate": 16000,
            "output_sampling_rate": 48000,
            "hop_length": 80,
            "n_fft": 512,
            "num_mels": 64,
        },
    }


def _upscaler(channels: int, blocks: int) -> dict[str, Any]:
    return {
        "in_channels": 128,
        "mid_channels": channels,
        "num_blocks_per_stage": blocks,
        "dims": 3,
        "spatial_upsample": True,
        "temporal_upsample": False,
    }


FULL = NetworkShapes(
    config={
        "transformer": _transformer(48, 32, 128, 8),
        "vae": _video_vae(128, (4, 6, 4, 2, 2)),
        "audio_vae": _audio_vae(128),
        "vocoder": _vocoder(1536, 512),
    },
    upscaler=_upscaler(1024, 4),
    video_width=4096,
    audio_width=2048,
    text_width=3840,
    lora_rank=111,
)
TINY = NetworkShapes(
    config={
        "transformer": _transformer(2, 2, 16, 1),
        "vae": _video_vae(8, (1, 1, 1, 1, 1)),
        "audio_vae": _audio_vae(8),
        "vocoder": _vocoder(64, 64),
    },
    upscaler=_upscaler(32, 1),
    video_width=32,
    audio_width=16,
    text_width=32,
    lora_rank=4,
    gemma={
        "vocab_size": 400,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
    },
)
