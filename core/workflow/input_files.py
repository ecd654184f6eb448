"""List the files that a bound graph needs in ComfyUI's input folder."""

from dataclasses import dataclass

from core.domain.continuation import film_of
from core.domain.dimensions import Size
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES
from core.domain.requests import Request
from core.workflow.control_video import ControlVideo, control_of
from core.workflow.heard_sound import HeardSound, heard_sound
from core.workflow.library import Workflow
from core.workflow.shown_film import shown_pictures, shown_sound
from core.workflow.values import SHOWN_SOUND, SOUND


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file for ``role``: a copy of ``file``, or what ``control`` makes of it."""

    role: str
    file: MediaFile
    control: ControlVideo | HeardSound | None = None
    beside: MediaFile | None = None  # a second source of what ``control`` makes


def inputs_of(workflow: Workflow, request: Request) -> tuple[InputFile, ...]:
    """List the files to stage; ``bind`` wants the name of each under its role.

    A source video is staged twice: its pictures at the clip's rate and size
    (:func:`core.workflow.control_video.prepare_control`), and, if it has sound, itself as
    ``sound``. A given sound is staged as the model hears it (:mod:`core.workflow.heard_sound`);
    a graph of somebody's own gets it so where it hears nothing but whole blocks, else the file.
    """
    bindings = workflow.bindings
    size = bindings.size_of(request.sampling)
    staged: list[InputFile] = []
    film = film_of(request)
    if film is not None:
        return _of_continuation(request, film, bindings.canvas, size)
    for role, file in request.media().items():
        if file.kind is MediaKind.VIDEO:
            # somebody's own graph may take the sound from the node that loads the pictures
            control = control_of(request, bindings.canvas, size=size, sound=workflow.custom)
            staged.append(InputFile(role, file, control))
            if file.sample_rate:
                staged.append(InputFile(SOUND, file))
        elif file.kind is MediaKind.AUDIO and (bindings.whole_sound or not workflow.custom):
            staged.append(InputFile(role, file, heard_sound(request)))
        else:
            staged.append(InputFile(role, file))
    return tuple(staged)


def _of_continuation(
    request: Request, film: MediaFile, canvas: int, size: Size
) -> tuple[InputFile, ...]:
    spec, media = MODES[request.mode], request.media()
    given = media.get(spec.length_from or "")
    sound = shown_sound(request, film)
    return (
        InputFile(spec.continues, film, shown_pictures(request, film, canvas, size)),
        InputFile(SHOWN_SOUND, film, sound, beside=given),
    )
