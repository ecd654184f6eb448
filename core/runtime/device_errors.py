"""Recognise by its words an error after which no work of this process reaches the device again.

Libraries raise the same class for everything, so the text decides, and the class only what it can
not be. Sources: the tables of cudaError_t, CUresult, cublasStatus_t, cudnnStatus_t, hipError_t and
ur_result_t, Metal's MTLCommandBufferError and DXGI's device-removed codes.
"""

import re
from typing import cast

# What is wrong with a graph, a value or a file is raised as one of these, whatever its text quotes.
_OF_PROGRAMS = frozenset(
    {
        "ArithmeticError", "AssertionError", "AttributeError", "FileNotFoundError", "ImportError",
        "IndexError", "JSONDecodeError", "KeyError", "LookupError", "ModuleNotFoundError",
        "NameError", "NotImplementedError", "PermissionError", "SyntaxError", "TypeError",
        "UnicodeDecodeError", "UnicodeEncodeError", "ValueError", "ZeroDivisionError",
    }
)  # fmt: skip
_MEMORY = re.compile(
    r"out[ _]?of[ _]?(?:\w+[ _])?memory|alloc\w*_failed|not enough memory|memory_?allocation"
    r"|cannot allocate memory|insufficient memory|OutOfMemory",
    re.IGNORECASE,
)
# Calls that the device refused and survived: another size, type or kernel may work.
_SURVIVED = re.compile(
    r"invalid (?:argument|value|configuration|device ordinal|device function|device pointer"
    r"|resource handle|pitch|texture|memcpy|symbol|kernel file|ptx)|named symbol not found"
    r"|no kernel image|too many resources requested|not (?:supported|permitted|found)"
    r"|stream is capturing|capturing stream|stream capture|peer access|feature is not yet"
    r"|driver version is insufficient|_not_supported|_bad_param|_invalid_value|_arch_mismatch",
    re.IGNORECASE,
)
_ALWAYS = re.compile(
    r"illegal memory access|illegal address|illegal instruction|misaligned address"
    r"|invalid program counter|invalid address space|hardware stack error"
    r"|device-side assert\b|unspecified launch failure|launch (?:timed out|failure)"
    r"|uncorrectable (?:ecc|nvlink)|ecc error|contained ecc"
    r"|(?:device|gpu)s?(?: instance)?(?: (?:is|was|has|are|been|were))*"
    r" (?:lost|removed|disconnected|hung|reset|unplugged|suspended|fallen off)"
    r"|fallen off the bus|lost contact with|\bxid\b|gpu hang|nvml|driver shutting down"
    r"|busy or unavailable|no cuda-capable device|no hip-capable|no hip gpus|context is destroyed"
    r"|memory access fault by gpu|hsa_status_error|hsa_status_exception"
    r"|device[_ ]?(?:lost|removed|hung)\b|device_?reset|0x887a000[567]|error_device_lost"
    r"|command buffer (?:exited|failed|was aborted|execution)|iogpucommandbuffercallbackerror"
    r"|(?:cublas|cudnn|cufft|curand|cusolver|cusparse|nvjpeg|rocblas|hipblas|hipblaslt|miopen"
    r"|hipfft|onednn|dnnl)\w*?_?status\w*?_?(?:internal_?error|execution_?failed|exec_?failed"
    r"|mapping_?error|not_?initialized|launch_?failure|unknown_?error)"
    r"|(?:cufft|hipfft|curand)_(?:internal_error|exec_failed|launch_failure|setup_failed)"
    r"|unable to find an engine to execute",
    re.IGNORECASE,
)
# A call to the device that failed with any other text: better one start too many than a queue
# that fails job after job.
_ANY = re.compile(
    r"\b(?:cuda|hip|rocm|xpu|sycl|musa|npu|cann|level[_ ]zero|mps)(?: driver| runtime)?"
    r"(?: backend)?(?: error| failed with error)\b\s*:"
    r"|triton error \[(?:cuda|hip)\]|\b(?:cuda|hip)error\w+|\bCUDA_ERROR_\w+|\bUR_RESULT_ERROR_",
    re.IGNORECASE,
)


def says_device_lost(kind: str, text: str) -> bool:
    """Tell whether an error means that the device, or this process's hold of it, is broken.

    Args:
        kind: name of its class, with or without its module.
        text: its message.

    Returns:
        False where memory ran out, and where the call was refused without harm.
    """
    if kind.rpartition(".")[2] in _OF_PROGRAMS or _MEMORY.search(text):
        return False
    if _ALWAYS.search(text):
        return True
    if _SURVIVED.search(text):
        return False
    return kind.endswith("AcceleratorError") or _ANY.search(text) is not None


def is_device_lost(error: BaseException) -> bool:
    """Tell the same of ``error``, of what it was raised from, and of what it groups."""
    seen: set[int] = set()
    look: list[BaseException | None] = [error]
    while look:
        one = look.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if says_device_lost(type(one).__name__, str(one)):
            return True
        look += [one.__cause__, None if one.__suppress_context__ else one.__context__]
        if isinstance(one, BaseExceptionGroup):
            look += cast("tuple[BaseException, ...]", one.exceptions)
    return False
