"""Which errors mean that the device is gone for this process, and which only fail their job."""

import pytest

from core.runtime.device_errors import is_device_lost, says_device_lost

HINT = (
    "\nCUDA kernel errors might be asynchronously reported at some other API call, so the "
    "stacktrace below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
    "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n"
)
LOST = [
    ("torch.AcceleratorError", "CUDA error: an illegal memory access was encountered" + HINT),
    ("torch.AcceleratorError", "CUDA error: device-side assert triggered" + HINT),
    ("torch.AcceleratorError", "CUDA error: unspecified launch failure" + HINT),
    ("RuntimeError", "CUDA error: misaligned address" + HINT),
    ("RuntimeError", "CUDA error: uncorrectable ECC error encountered" + HINT),
    ("RuntimeError", "CUDA error: unknown error" + HINT),
    ("RuntimeError", "CUDA error: an error that no list has" + HINT),
    ("RuntimeError", "CUDA error: the launch timed out and was terminated"),
    ("RuntimeError", "CUDA error: all CUDA-capable devices are busy or unavailable"),
    ("RuntimeError", "No CUDA GPUs are available: CUDA error: no CUDA-capable device is detected"),
    ("RuntimeError", "CUDA driver error: unknown error"),
    ("RuntimeError", "CUDA driver error: device not ready"),
    ("RuntimeError", "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(…)`"),
    ("RuntimeError", "CUDA error: CUBLAS_STATUS_INTERNAL_ERROR when calling `cublasSgemm(…)`"),
    ("RuntimeError", "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(h)`"),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
    ("RuntimeError", "cuFFT error: CUFFT_INTERNAL_ERROR"),
    ("RuntimeError", "cusolver error: CUSOLVER_STATUS_INTERNAL_ERROR, when calling `…`"),
    ("RuntimeError", "GET was unable to find an engine to execute this computation"),
    ("RuntimeError", "Triton Error [CUDA]: an illegal memory access was encountered"),
    ("cupy_backends.CUDARuntimeError", "cudaErrorIllegalAddress: an illegal memory access"),
    ("RuntimeError", "CUDA_ERROR_LAUNCH_FAILED"),
    ("RuntimeError", "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus."),
    ("RuntimeError", "GPU is lost. Reboot the system to recover this GPU"),
    ("torch.AcceleratorError", "HIP error: an illegal memory access was encountered"),
    ("RuntimeError", "HIP error: unspecified launch failure"),
    ("RuntimeError", "rocblas error: rocblas_status_internal_error"),
    ("RuntimeError", "miopenStatusUnknownError"),
    ("RuntimeError", "Memory access fault by GPU node-1 on address 0x7f"),
    ("RuntimeError", "command buffer exited with error status: Caused GPU Hang Error"),
    ("RuntimeError", "(00000003:kIOGPUCommandBufferCallbackErrorHang)"),
    ("RuntimeError", "level_zero backend failed with error: 20 (UR_RESULT_ERROR_DEVICE_LOST)"),
    ("RuntimeError", "The GPU device instance has been suspended. (DXGI_ERROR_DEVICE_REMOVED)"),
    ("RuntimeError", "vkQueueSubmit failed: VK_ERROR_DEVICE_LOST"),
    ("OSError", "the device was disconnected"),
    ("DistBackendError", "NCCL communicator was aborted on rank 0."),
    ("RuntimeError", "NCCL Error 1: unhandled cuda error (run with NCCL_DEBUG=INFO)"),
    ("RuntimeError", "NCCL error in: ProcessGroupNCCL.cpp:1275, ncclSystemError: System call"),
    ("numba.CudaAPIError", "[999] Call to cuMemcpyDtoHAsync results in UNKNOWN_CUDA_ERROR"),
    ("torch.cuda.CudaError", "unknown error (999)"),
    ("pynvml.NVMLError_Unknown", "Unknown Error"),
    ("RuntimeError", "CUDA failure 999: unknown error ; GPU=0 ; hostname=x"),
    ("RuntimeError", "CUBLAS failure 13: the GPU program failed to execute ; GPU=0"),
    ("RuntimeError", "cuBLAS API failed with status 14"),
    ("RuntimeError", "cublasLt ran into an error!"),
    ("RuntimeError", "CUDA error (flash_attn/hopper.cu:120): unknown error"),
    ("RuntimeError", "cuda runtime error (30) : unknown error at THCGeneral.cpp:50"),
    ("RuntimeError", "cudaStreamSynchronize returned 719"),
    ("pycuda.LogicError", "cuInit failed: unknown error"),
    ("RuntimeError", "Unexpected error from cudaGetDeviceCount(). Error 802: not yet initialized"),
    ("RuntimeError", "No CUDA GPUs are available"),
    ("RuntimeError", "Unable to determine the device handle for GPU0000:01:00.0: Unknown Error"),
    ("RuntimeError", "GPU 0 requires a reset"),
    ("RuntimeError", "NVRM: Xid (PCI:0000:01:00): 48, DBE (double bit) error"),
    ("RuntimeError", "an MPS client was terminated by the MPS server"),
    ("RuntimeError", "CURAND_STATUS_PREEXISTING_FAILURE"),
    ("RuntimeError", "MIOpen Error: hipoc_kernel.cpp:30: Failed to launch kernel"),
    ("RuntimeError", "amdgpu: GPU reset begin!"),
    ("RuntimeError", "Caused GPU Timeout Error"),
    ("RuntimeError", "Native API failed. Native API returns: -1 (PI_ERROR_DEVICE_NOT_FOUND)"),
    ("OSError", "[Errno 5] Input/output error: '/dev/nvidia0'"),
    ("Exception", "sampling failed: CUDA error: device-side assert triggered"),
]
KEPT = [
    ("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB."),
    ("torch.AcceleratorError", "CUDA error: out of memory" + HINT),
    ("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ("RuntimeError", "MPS backend out of memory (MPS allocated: 18 GB)"),
    ("RuntimeError", "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)"),
    ("RuntimeError", "HIP out of memory. Tried to allocate 20.00 MiB"),
    ("RuntimeError", "UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY"),
    ("RuntimeError", "CUDA error: invalid configuration argument" + HINT),
    ("torch.AcceleratorError", "CUDA error: invalid argument" + HINT),
    ("RuntimeError", "CUDA error: no kernel image is available for execution on the device"),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED."),
    ("RuntimeError", "CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasSgemm(…)`"),
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (77x768 and 1024x320)"),
    ("RuntimeError", "Expected all tensors to be on the same device, but found cuda:0 and cpu!"),
    ("RuntimeError", "Input type (c10::Half) and bias type (float) should be the same"),
    ("ValueError", "prompt: 'CUDA error: an illegal memory access was encountered'"),
    ("KeyError", "'xid'"),
    ("FileNotFoundError", "model/device lost.safetensors"),
    ("RuntimeError", "The film has no sound"),
    ("RuntimeError", "CUDA error: operation failed due to a previous error during capture"),
    ("RuntimeError", "CUDA error: dependency created on uncaptured work in another stream"),
    ("RuntimeError", "CUDA error: part or all of the requested memory range is already mapped"),
    ("RuntimeError", "CUDA error: the provided PTX was compiled with an unsupported toolchain."),
    ("RuntimeError", "CUDA error: too many blocks in cooperative launch"),
    ("RuntimeError", "Triton Error [CUDA]: out of resource: shared memory, Required: 131072"),
    ("RuntimeError", "cudaMalloc failed with error code 2"),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    ("pynvml.NVMLError_LibraryNotFound", "NVML Shared Library Not Found"),
    ("RuntimeError", "MPS does not support cumsum op with int64 input"),
    ("RuntimeError", "Cannot load libcudnn_cnn_infer.so.8: cannot open shared object file"),
]


@pytest.mark.parametrize(("kind", "text"), LOST, ids=[text[:60] for _, text in LOST])
def test_a_broken_device_is_recognised(kind: str, text: str) -> None:
    assert says_device_lost(kind, text)


@pytest.mark.parametrize(("kind", "text"), KEPT, ids=[text[:60] for _, text in KEPT])
def test_what_only_its_job_suffers_from_is_none(kind: str, text: str) -> None:
    assert not says_device_lost(kind, text)


def test_what_an_error_was_raised_from_and_what_it_groups_counts() -> None:
    inner = RuntimeError("CUDA error: device-side assert triggered")
    wrapped = KeyError("sampler")
    wrapped.__cause__ = inner

    assert is_device_lost(wrapped)
    assert is_device_lost(ExceptionGroup("several", [ValueError("no"), inner]))
    assert not is_device_lost(ExceptionGroup("several", [ValueError("no")]))
