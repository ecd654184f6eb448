"""Detect what this machine can compute on, without torch: the answer decides how torch starts."""

import ctypes
import platform
import sys
from dataclasses import dataclass
from enum import StrEnum


class DeviceKind(StrEnum):
    """The three kinds of device that the models run on."""

    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


def device_kind() -> DeviceKind:
    """Find the best device of this machine."""
    if nvidia_devices():
        return DeviceKind.CUDA
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return DeviceKind.MPS
    return DeviceKind.CPU


@dataclass(frozen=True, slots=True)
class Device:
    """One device as its driver names it; ``memory_bytes`` is all that it has."""

    name: str
    memory_bytes: int


def nvidia_devices() -> int:
    """Count the NVIDIA devices that the driver shows; 0 where there is no driver."""
    driver = _driver()
    count = ctypes.c_int(0)
    if driver is None or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def first_device() -> Device | None:
    """Find the NVIDIA device that ComfyUI computes on; None where there is none."""
    driver = _driver()
    handle = ctypes.c_int(0)
    if driver is None or driver.cuDeviceGet(ctypes.byref(handle), 0):
        return None
    name = ctypes.create_string_buffer(256)
    memory = ctypes.c_size_t(0)
    driver.cuDeviceGetName(name, len(name), handle)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    return Device(name.value.decode(errors="replace"), memory.value)


def _driver() -> "ctypes.CDLL | None":
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return None
    return None if driver.cuInit(0) else driver
