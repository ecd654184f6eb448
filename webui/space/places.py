"""Where a Space writes: one folder in its home, for Clapper and for every library.

``~/.cache`` is not used: the platform lays preloaded files there in the name of another user, so
it may be nobody's to write into.
"""

from pathlib import Path

from core.runtime.environment import offer

# Variables by which libraries are told where to keep what they make, and the folders for it.
# Each of them writes below ~/.cache, or beside it, where it is told nothing.
_LIBRARIES = {
    "HF_HOME": "huggingface",  # its hub cache, Xet's, assets, tokens
    "XDG_CACHE_HOME": "cache",  # torch extensions, fontconfig, pip …
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "share",
    "TORCH_HOME": "torch",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_HOME": "triton",  # .triton/cache lies in it
    "TRITON_CACHE_DIR": "triton/cache",
    "CUDA_CACHE_PATH": "cuda",
    "NUMBA_CACHE_DIR": "numba",
    "MPLCONFIGDIR": "matplotlib",
}


def home() -> Path:
    """Return the folder for everything that is written; the disk below it is new at every start."""
    return Path.home() / "clapper"


def preloaded() -> Path:
    """Return the hub cache that is baked into the image; it is only read."""
    return Path.home() / ".cache" / "huggingface" / "hub"


def place_libraries() -> None:
    """Tell libraries where to write; before the first of them is imported."""
    for name, folder in _LIBRARIES.items():
        offer(name, str(home() / folder))


def defaults() -> dict[str, object]:
    """Return what a Space has instead of the usual defaults; variables of the Space win.

    Links to model files and the checkout stay on the Space's own disk wherever the data lies: a
    mounted bucket has no links and is slow.
    """
    return {
        "data_dir": home() / "data",
        "comfyui_dir": home() / "comfyui" / "checkout",
        "models_dir": home() / "models",
        "hub_cache": home() / "hub",
        "hub_preloaded": preloaded(),
        "studio_host": "0.0.0.0",  # noqa: S104  # inside the Space's container
        "accept_model_licences": True,  # by who built the Space, see its page
        "space_id": "local",
    }
