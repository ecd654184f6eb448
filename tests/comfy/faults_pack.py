"""A node pack that breaks on demand: the text of a prompt names the fault.

``<fault> once <number>`` or ``<fault> always <number>``; what happened once is kept in the folder
FAULTS_FOLDER, since the process may not outlive it. test_faults.py copies it beside a ComfyUI.
"""

import ctypes
import os
import threading
from pathlib import Path

import nodes
import torch

STICKY = "CUDA error: an illegal memory access was encountered"
NODE_CLASS_MAPPINGS = {}
_leaked = []
_lost = []


def cause(fault):
    match fault:
        case "raise":
            raise RuntimeError("a node that nobody knows")
        case "cuda" | "wrapped":
            _lost.append(fault)
        case "segfault":
            ctypes.string_at(0)
        case "hang":
            threading.Event().wait()
        case "exit":
            raise SystemExit(3)
        case "leak":
            _leaked.append(torch.zeros(4 * 1024**2))


def due(often, name):
    if often == "always":
        return True
    try:
        (Path(os.environ["FAULTS_FOLDER"]) / f"did-{name}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


encode = nodes.CLIPTextEncode.encode


def faulty(self, clip, text):
    fault, _, rest = text.partition(" ")
    often, _, name = rest.partition(" ")
    if often in ("once", "always") and due(often, f"{fault}-{name.split()[0]}"):
        cause(fault)
    if _lost == ["cuda"]:
        raise RuntimeError(STICKY)
    if _lost:  # as packs do that tell in words of their own what broke
        raise ValueError("the words cannot be encoded") from RuntimeError(STICKY)
    return encode(self, clip, text)


nodes.CLIPTextEncode.encode = faulty
