"""Recognise by its words an error after which no work of this process reaches the device again.

Libraries raise the same class for everything, so the text decides, and the class where the text
says nothing. Sources: the tables of cudaError_t, CUresult, cublasStatus_t, cudnnStatus_t,
ncclResult_t, nvmlReturn_t, hipError_t and ur_result_t, Metal's MTLCommandBufferError and DXGI's
device-removed codes.
"""

import re
from collections.abc import Iterator
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
_LIBRARIES = (
    r"(?:cuda|cu(?:blas|dnn|fft|rand|solver|sparse)|nvjpeg|nvml|nccl|rccl|hip(?:blas|fft|sparse)?"
    r"|rocblas|rocm|miopen|xpu|sycl|musa|npu|cann|level[_ ]zero|mps|driver|accelerator)"
)
# Of the device's memory or another of its resources there was too little: smaller work fits.
_MEMORY = re.compile(
    r"out[ _]?of[ _]?(?:\w+[ _])?(?:memory|resources?)|alloc\w*_failed|not enough memory"
    r"|memory_?allocation|cannot allocate memory|insufficient memory|OutOfMemory"
    r"|\b(?:cuda|hip|cu)\w*(?:malloc|memalloc)\w* (?:failed|returned)",
    re.IGNORECASE,
)
# Calls that the device refused and survived: another size, type or kernel may work. So does what
# a recording of calls, a compiler or the installation is at fault for.
_SURVIVED = re.compile(
    r"invalid (?:argument|value|usage|configuration|device ordinal|device function|device pointer"
    r"|resource handle|pitch|texture|memcpy|symbol|kernel file|ptx)|named symbol not found"
    r"|no kernel image|kernel image is invalid|too many (?:resources requested|blocks)"
    r"|not[_ ]?(?:supported|permitted|found|implemented)|unsupported|captur(?:e|ing)\b|uncaptured"
    r"|graph update|peer access|feature is not yet|already mapped|registered memory"
    r"|cannot set while"
    r"|compil(?:ation|er|ed)\b|shared object|shared library|librar(?:y|ies)\b.{0,40}load"
    r"|sublibrary_loading|driver version is insufficient|_bad_param|_invalid_value|arch_mismatch",
    re.IGNORECASE,
)
_ALWAYS = re.compile(
    r"illegal memory access|illegal address|illegal instruction|misaligned address"
    r"|invalid program counter|invalid address space|hardware stack error"
    r"|device-side assert\b|unspecified launch failure|launch (?:timed out|failure)"
    r"|uncorrectable (?:double[ -]bit )?(?:ecc|nvlink)|ecc error|contained ecc"
    r"|(?:device|gpu)s?(?: instance)?(?: (?:is|was|has|are|been|were))*"
    r" (?:lost|removed|disconnected|hung|reset|unplugged|suspended|fallen off|stopped responding)"
    r"|\bgpu\b[^\n]{0,60}\b(?:(?:needs|requires)(?: a)? reset|stopped responding|address fault"
    r"|timeout error|hardware error)|hardware error on (?:the )?gpu|victim of gpu error"
    r"|device handle for gpu[^\n]*unknown error|\bamdgpu: |\bring \w+(?:\.\d+)* timeout"
    r"|fallen off the bus|lost contact with|\bnvrm: |\bxid[ :(]+\w*:?\d|gpu hang"
    r"|failed to initialize nvml|nvml_success|driver shutting down"
    r"|busy or unavailable|no cuda-capable device|no hip-capable|no (?:cuda|hip) gpus"
    r"|found no nvidia driver|cudagetdevicecount\(\)|context is destroyed"
    r"|memory access fault by gpu|hsa_status_error|hsa_status_exception"
    r"|device[_ ]?(?:lost|removed|hung)\b|device_?reset|0x887a000[567]|error_device_lost"
    r"|device_not_(?:available|found)|\bmps (?:client|server)\b|/dev/(?:nvidia|kfd|dri)"
    r"|command buffer (?:exited|failed|was aborted|execution)|iogpucommandbuffercallbackerror"
    r"|unable to find an engine to execute|gpu program failed to execute",
    re.IGNORECASE,
)
# A call to the device that failed with any other text: better one start too many than a queue
# that fails job after job.
_ANY = re.compile(
    # CUDA error: …, cuda runtime error (30), NCCL error in: …, cuBLAS API failed with status 14
    rf"\b{_LIBRARIES}(?:lt)?(?: (?:driver|runtime|frontend|api|call|ran into an|backend))*"
    r" (?:error\b(?! analysis)|failure\b|failed\b)"
    r"|\bnccl communicator was aborted|\bre-initialize cuda"
    r"|triton error \[(?:cuda|hip)\]|\b(?:cuda|hip)error\w+|CUDA_ERROR"
    r"|\b(?:UR_RESULT|PI|ZE_RESULT|NCCL|rccl|nccl)_?ERROR_?\w+|\bnccl\w+Error\b|\bERR\d+ PTA call"
    # CUBLAS_STATUS_…, cuDNN's, HIP's; cufft and curand name theirs without a status
    rf"|\b{_LIBRARIES}\w*?_?status_?(?!success)\w+|\b(?:cufft|hipfft|curand)_[a-z_]+(?:error|failed)"
    # a function's own name: cudaMemcpyAsync failed, cuInit failed: unknown error
    r"|\b(?-i:(?:cuda|hip|cu|nccl)[A-Z]\w+)\W+(?:failed|returned|error)\b",
    re.IGNORECASE,
)
_KINDS = re.compile(rf"{_LIBRARIES}\w*Error\w*|DistBackendError", re.IGNORECASE)


def says_device_lost(kind: str, text: str) -> bool:
    """Tell whether an error means that the device, or this process's hold of it, is broken.

    Args:
        kind: name of its class, with or without its module.
        text: its message.

    Returns:
        False where memory ran out, and where the call was refused without harm.
    """
    name = kind.rpartition(".")[2]
    if name in _OF_PROGRAMS or _MEMORY.search(text):
        return False
    if _ALWAYS.search(text):
        return True
    if _SURVIVED.search(text):
        return False
    return _KINDS.fullmatch(name) is not None or _ANY.search(text) is not None


def is_device_lost(error: BaseException) -> bool:
    """Tell the same of ``error``, of what it was raised from, and of what it groups."""
    return any(says_device_lost(type(one).__name__, str(one)) for one in causes_of(error))


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error``, what it was raised from or while handling, and what it groups; each once."""
    seen: set[int] = set()
    look: list[BaseException | None] = [error]
    while look:
        one = look.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        look += [one.__cause__, None if one.__suppress_context__ else one.__context__]
        if isinstance(one, BaseExceptionGroup):
            look += cast("tuple[BaseException, ...]", one.exceptions)
