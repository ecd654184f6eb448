"""List the files that a bound graph needs in ComfyUI's input folder."""

from dataclasses import dataclass

from core.domain.media import MediaFile, MediaKind
from core.domain.requests import Request
from core.workflow.control_video import ControlVideo, control_of
from core.workflow.library import Workflow
from core.workflow.values import SOUND


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file for ``role``: a copy of ``file``, or what ``control`` makes of it."""

    role: str
    file: MediaFile
    control: ControlVideo | None = None


def inputs_of(workflow: Workflow, request: Request) -> tuple[InputFile, ...]:
    """List the files to stage; ``bind`` wants the name of each under its role.

    A source video is staged twice: its pictures at the clip's rate and size
    (:func:`core.workflow.control_video.prepare_control`), and, if it has sound, itself as
    ``sound``.
    """
    bindings = workflow.bindings
    size = bindings.size_of(request.sampling)
    staged: list[InputFile] = []
    for role, file in request.media().items():
        if file.kind is MediaKind.VIDEO:
            # somebody's own graph may take the sound from the node that loads the pictures
            control = control_of(request, bindings.canvas, size=size, sound=workflow.custom)
            staged.append(InputFile(role, file, control))
            if file.sample_rate:
                staged.append(InputFile(SOUND, file))
        else:
            staged.append(InputFile(role, file))
    return tuple(staged)
