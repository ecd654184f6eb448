"""The shapes of the names that Clapper gives to files; nothing with another name is deleted.

A folder may hold something that a person put there, whatever the folder is called. Whoever deletes
what it finds in a folder asks for a shape of this list.
"""

import re
import shutil
from pathlib import Path

Shape = re.Pattern[str]
_ONE, _HASH = r"[0-9a-f]{32}", r"[0-9a-f]{64}"  # a random name; the SHA-256 of a content
PART = re.compile(rf"\.part-{_ONE}(-.+|\.\w+)?")  # unfinished, see core.runtime.atomic_files
RESTORED = re.compile(rf"\.part-{_ONE}-restore")  # what a restore brings, before it counts
# a clip and its poster: a name by chance, or the job and the beginning of its attempt's token
_CLIP = rf"{_ONE}(\.[0-9a-f]{{8}})?"
ORIGINAL_CLIP = re.compile(rf"{_CLIP}\.(mp4|png)")
CLIP = re.compile(rf"({_CLIP})(-\d+|-last)?\.(mp4|png)")  # also a smaller copy, the last frame
_ADMITTED = rf"{_HASH}\.(png|jpg|flac|ogg|mp4)"  # core.media.intake.protocol has the list
MEDIA = re.compile(_ADMITTED)
NODE_WORK = re.compile(_ONE)  # a folder of unfinished files of one node of several
LATENTS = re.compile(rf"{_HASH}-[0-9a-f]{{16}}\.safetensors|{_ONE}\.part")
# in ComfyUI's input folder: as they were admitted, and prepared from one by a recipe
STAGED = re.compile(rf"{_ADMITTED}|{_HASH}-{_ONE}\.(mp4|wav)|part-{_ONE}\.(mp4|wav)")
# in the Studio's folder: Gradio names by content, we by chance; tmp… is an upload that was cut off
UPLOADED = re.compile(rf"{_HASH}|{_ONE}|tmp[0-9a-z_]{{8}}")
BEFORE_RESTORE = re.compile(r"before-restore-\d{8}-\d{6}-[0-9a-f]{6}")  # never deleted by us
WORK = re.compile(rf"{_ONE}\.([0-9a-f]{{8}}|next)|calibrate-\w{{8}}")  # an attempt's folder


def clip_stem(name: str) -> str:
    """Return the name without its end of the clip that ``name``, of shape ``CLIP``, belongs to."""
    found = CLIP.fullmatch(name)
    return found[1] if found else name


def remove_folder(folder: Path) -> None:
    """Remove ``folder`` with all in it; nothing where it is absent or a link."""
    if not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def entries_of(folder: Path, shape: Shape) -> list[Path]:
    """List what in ``folder`` has a name of ``shape``; nothing where it is a link or absent."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if shape.fullmatch(path.name))


def files_of(folder: Path, shape: Shape) -> list[Path]:
    """List the files among :func:`entries_of`, without links."""
    return [path for path in entries_of(folder, shape) if path.is_file() and not path.is_symlink()]


def older_files(folder: Path, than: float, shape: Shape) -> list[Path]:
    """List those of :func:`files_of` that were last written before ``than``, epoch seconds."""
    return [path for path in files_of(folder, shape) if path.stat().st_mtime < than]


def remove_entries(folder: Path, shape: Shape) -> None:
    """Remove what in ``folder`` has a name of ``shape``; what a link leads to stays."""
    for path in entries_of(folder, shape):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
