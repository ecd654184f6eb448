"""Forbid a process to start programs and processes, for ever, but not threads.

libheif decodes each picture in a thread of its own; the kernel's limit of processes counts threads
as well, and those of the same user in other processes, so it cannot allow one and forbid the other.
A filter of system calls (seccomp) can. Linux on x86-64 and ARM64.
"""

import ctypes
import errno
import platform
import struct
import sys
from dataclasses import dataclass

_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/filter.h
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # places in struct seccomp_data
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000  # the latter with an errno
_THREAD = 0x00010000  # CLONE_THREAD
_OTHER_TABLE = 0x40000000  # x32 calls on x86-64


@dataclass(frozen=True, slots=True)
class _Machine:
    name: int  # linux/audit.h
    forbidden: tuple[int, ...]  # execve, execveat, and fork and vfork where they exist
    clone: int
    clone3: int = 435


_MACHINES = {
    "x86_64": _Machine(0xC000003E, (59, 322, 57, 58), 56),
    "aarch64": _Machine(0xC00000B7, (221, 281), 220),
}


def forbid_programs() -> bool:
    """Forbid this process to start others; threads stay allowed. False where it cannot be done."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    steps = _steps(machine)
    code = ctypes.create_string_buffer(steps)
    program = struct.pack("HxxxxxxQ", len(steps) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    return (
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and libc.prctl(_SECCOMP, _FILTER, program, 0, 0) == 0
    )


def _steps(machine: _Machine) -> bytes:
    """Return the filter: what is not named is allowed."""
    refuse, no_such, allow = (
        _step(_RETURN, _REFUSE | errno.EPERM),
        # the C library then uses clone, whose flags can be seen
        _step(_RETURN, _REFUSE | errno.ENOSYS),
        _step(_RETURN, _ALLOW),
    )
    forbidden = b"".join(_step(_EQUAL, number, 0, 1) + refuse for number in machine.forbidden)
    return b"".join(
        (
            _step(_LOAD, _MACHINE),
            _step(_EQUAL, machine.name, 1, 0),
            refuse,
            _step(_LOAD, _NUMBER),
            _step(_AT_LEAST, _OTHER_TABLE, 0, 1),
            refuse,
            forbidden,
            _step(_EQUAL, machine.clone3, 0, 1),
            no_such,
            _step(_EQUAL, machine.clone, 0, 3),
            _step(_LOAD, _FIRST_ARGUMENT),
            _step(_ANY_BIT, _THREAD, 1, 0),
            refuse,
            allow,
        )
    )


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, value)
