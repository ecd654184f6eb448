"""What the child that decodes cannot do, whoever it runs as."""

import json
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

import core
from core.demo.samples import write_png
from core.domain.limits import MediaLimits
from core.domain.media import MediaKind
from core.errors import IntakeClosed
from core.media.intake import sandbox
from core.media.intake.store import MediaStore

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import os, threading
from core.media.intake.syscalls import forbid_programs

assert forbid_programs()
for start in (os.fork, os.forkpty, lambda: os.posix_spawn("/bin/true", ["true"], {}),
              lambda: os.execv("/bin/true", ["true"])):
    try:
        start()
    except OSError as error:
        print(error.errno)
    else:
        print("started")
worker = threading.Thread(target=print, args=("thread",))
worker.start()
worker.join()
"""


def test_a_decoder_starts_threads_but_no_process_and_no_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == ["1", "1", "1", "1", "thread"], done.stderr


HEIC_SCRIPT = """
import json, os, sys
from dataclasses import asdict
from core.domain.media import MediaKind
from core.media.intake import child, images
from core.media.intake.protocol import RecodeTask

source = os.open(sys.argv[1], os.O_RDONLY)
output = os.open(sys.argv[1] + ".png", os.O_RDWR | os.O_CREAT)
if os.geteuid() == 0:  # for root the limit of processes does not count
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
task = RecodeTask(
    source_fd=source, output_fd=output, role="x", kind=MediaKind.IMAGE, reader="HEIF",
    max_pixels=10**6, keep_pixels=10**6, max_seconds=1, use_seconds=1, max_fps=30,
    memory_bytes=300_000_000, cpu_seconds=20, output_bytes=10**7,
)
sys.argv = ["child", json.dumps(asdict(task))]
child.main()
"""


def test_an_heic_is_decoded_in_its_thread_by_whoever_is_not_root(tmp_path: Path) -> None:
    pillow_heif.from_pillow(Image.new("RGB", (640, 480), "teal")).save(tmp_path / "a.heic")

    done = subprocess.run(
        [sys.executable, "-c", HEIC_SCRIPT, tmp_path / "a.heic"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert json.loads(done.stdout)["made"]["width"] == 640, done.stderr


@pytest.mark.parametrize("broken", ["package", "interpreter"])
async def test_what_reads_files_and_cannot_begin_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    source = write_png(tmp_path / "sent.png")
    if broken == "package":
        (tmp_path / "core").symlink_to(Path(core.__file__).parent)
        (tmp_path / "pillow_heif.py").write_text('raise ImportError("libheif.so.1: not there")\n')
        monkeypatch.setattr(sandbox, "_ROOT", tmp_path)
    else:
        monkeypatch.setattr(sandbox.sys, "executable", str(tmp_path / "gone"))
    store = MediaStore(tmp_path / "media", MediaLimits())

    with pytest.raises(IntakeClosed) as closed:
        await store.admit(source, "image", MediaKind.IMAGE)

    assert closed.value.reason == "reader"
    assert {"package": "libheif.so.1", "interpreter": "gone"}[broken] in str(closed.value.__cause__)
    assert not [*(tmp_path / "media").iterdir()]
