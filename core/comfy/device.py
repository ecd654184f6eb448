"""What this machine can compute on, found out without torch: it decides how torch is started."""

import ctypes
import platform
import sys
from enum import StrEnum


class DeviceKind(StrEnum):
    """The three kinds of device that the models run on."""

    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


def device_kind() -> DeviceKind:
    """Return the best device of this machine."""
    if nvidia_devices():
        return DeviceKind.CUDA
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return DeviceKind.MPS
    return DeviceKind.CPU


def nvidia_devices() -> int:
    """Return how many NVIDIA devices the driver shows; 0 where there is no driver."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value
