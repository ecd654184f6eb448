"""Put an order's inputs into ComfyUI's input folder, named by their content."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from uuid import uuid4

from core.interfaces.executor import Order
from core.runtime.atomic_files import publish
from core.runtime.permissions import make_private_folder
from core.workflow.control_video import prepare_control
from core.workflow.heard_sound import HeardSound, write_heard_sound
from core.workflow.input_files import InputFile, inputs_of
from core.workflow.library import Workflow


@dataclass(frozen=True, slots=True)
class StagedInputs:
    """What lies in the input folder for one order."""

    names: dict[str, str] = field(default_factory=dict[str, str])  # by role
    paths: list[Path] = field(default_factory=list[Path])

    def remove(self) -> None:
        """Take everything away again."""
        for path in self.paths:
            path.unlink(missing_ok=True)


def stage(
    order: Order, workflow: Workflow, folder: Path, staged: StagedInputs, check: Callable[[], None]
) -> None:
    """Put the inputs of ``order`` where loader nodes look; what is prepared already is used.

    Args:
        order: whose files.
        workflow: says how a source video must be prepared.
        folder: ComfyUI's input folder.
        staged: gets the names, one by one, so that a failure leaves nothing behind.
        check: called between files and frames; may raise to stop.
    """
    make_private_folder(folder)
    for item in inputs_of(workflow, order.request):
        check()
        target = folder / staged_name(item)
        staged.paths.append(target)
        if item.control is None:
            target.unlink(missing_ok=True)
            _link_or_copy(order.path_of(item.file), target)
        else:
            _make_control(order, item, target, check)
        staged.names[item.role] = target.name


def prepare(order: Order, workflow: Workflow, folder: Path, check: Callable[[], None]) -> None:
    """Do the slow part of :func:`stage` ahead of time; nothing uses the device."""
    make_private_folder(folder)
    for item in inputs_of(workflow, order.request):
        if item.control is not None:
            _make_control(order, item, folder / staged_name(item), check)


def staged_name(item: InputFile) -> str:
    """Return the name of ``item`` in the input folder, of a shape that cleaning up knows."""
    if item.control is None:
        return item.file.name
    sources = [file.sha256 for file in (item.file, item.beside) if file is not None]
    recipe = hashlib.sha256(repr((*sources, astuple(item.control))).encode())
    suffix = ".wav" if isinstance(item.control, HeardSound) else ".mp4"
    return f"{item.file.sha256}-{recipe.hexdigest()[:32]}{suffix}"  # goes with its source


def _make_control(order: Order, item: InputFile, target: Path, check: Callable[[], None]) -> None:
    if item.control is None or target.is_file():
        return
    part = target.with_name(f"part-{uuid4().hex}{target.suffix}")
    source = order.path_of(item.file)
    try:
        if isinstance(item.control, HeardSound):
            given = item.beside and order.path_of(item.beside)
            write_heard_sound(source, given, part, item.control, check)
        else:
            prepare_control(source, part, item.control, check)
        publish(part, target)
    finally:
        part.unlink(missing_ok=True)


def _link_or_copy(source: Path, target: Path) -> None:
    """Make ``source`` appear at ``target``, without a copy where the file system allows it."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
