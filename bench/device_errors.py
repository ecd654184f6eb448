"""Break a CUDA device in every way that a program can, and print how each error is judged.

    python bench/device_errors.py

Each fault has a process of its own, since a device that is lost stays so until the process ends.
Needs torch and a CUDA device; nothing of the machine is changed.
"""

import subprocess
import sys

FAULTS = {  # name: (code, whether the device must count as lost)
    "index out of bounds": (
        "torch.arange(4, device='cuda')[torch.tensor([9], device='cuda')]",
        True,
    ),
    "illegal address": ("fault_by_address()", True),
    "out of memory": ("torch.empty(1 << 50, dtype=torch.uint8, device='cuda')", False),
    "shapes that do not fit": (
        "torch.ones(2, 3, device='cuda') @ torch.ones(2, 3, device='cuda')",
        False,
    ),
    "unknown device": ("torch.ones(1, device='cuda:99')", False),
    "wrong type": (
        "torch.ones(2, device='cuda') @ torch.ones(2, device='cuda', dtype=torch.int64)",
        False,
    ),
}
PROGRAM = """
import sys
import torch
from core.runtime.device_errors import is_device_lost

def fault_by_address():
    source = 'extern "C" __global__ void far(float *p) { p[1ull << 44] = 1; }'
    kernel = torch.cuda._compile_kernel(source, "far")
    kernel((1, 1, 1), (1, 1, 1), (torch.ones(1, device="cuda"),))

def judged(code):
    try:
        exec(code)
        torch.cuda.synchronize()
    except Exception as error:
        return error
    return None

error = judged(sys.argv[1])
again = judged("torch.ones(1024, device='cuda').sum().item()")
text = str(error).strip().splitlines()[0][:70] if error else "no error"
lost = is_device_lost(error) if error else None
print(type(error).__name__, lost, again is not None, text, sep="|")
"""


def main() -> None:
    """Print a line a fault: what was raised, how it was judged, whether the device went on."""
    wrong = 0
    print(f"{'fault':<24} {'raised':<20} {'judged':<8} {'works after':<12} text")
    for name, (code, lost) in FAULTS.items():
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, code], capture_output=True, text=True, check=False
        )
        line = done.stdout.strip().splitlines()[-1:] or ["?|?|?|" + done.stderr.strip()[-70:]]
        raised, judged, broken, text = line[0].split("|", 3)
        wrong += judged != str(lost)
        shown = {"True": "lost", "False": "in use"}.get(judged, judged)
        print(
            f"{name:<24} {raised:<20} {shown:<8} {'no' if broken == 'True' else 'yes':<12} {text}"
        )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
