"""Write stand-ins for the model files of a Space: ``python make_weights.py CHECKOUT FOLDER``.

A process of its own, because ComfyUI changes the one that it is started in.
"""

import importlib
import sys
from pathlib import Path

from core.comfy.device import DeviceKind
from core.comfy.paths import ComfyPaths
from core.comfy.startup import start
from core.comfy.testing.network_shapes import TINY
from core.comfy.testing.random_weights import RandomWeightsWriter
from core.comfy.testing.small_text_encoder import shrink_text_encoder

checkout, folder = (Path(item) for item in sys.argv[1:])
place = ComfyPaths(checkout, folder / "packs", folder / "base", folder / "models")
start(place, DeviceKind.CPU, "auto", packs=False)
shrink_text_encoder()
RandomWeightsWriter(importlib.import_module("torch"), TINY).family(place.models)
