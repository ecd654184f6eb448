"""What ``clapper doctor`` says of the child process that reads the files of strangers."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from core.cli.findings import DoctorFinding, Severity
from core.demo.samples import write_png, write_wav
from core.domain.media import MediaKind
from core.errors import ClapperError
from core.i18n.messages import explain, say
from core.media.intake.store import MediaStore
from core.settings import Settings

# sound goes the way of films
_SAMPLES: tuple[tuple[MediaKind, str, Callable[[Path], Path]], ...] = (
    (MediaKind.IMAGE, ".png", write_png),
    (MediaKind.AUDIO, ".wav", write_wav),
)


def look_at_files(settings: Settings) -> Iterator[DoctorFinding]:
    """Let the child read a picture and a sound of ours."""
    what = say("doctor_files")
    with TemporaryDirectory(prefix="clapper-doctor-") as name:
        place = Path(name)
        store = MediaStore(place / "media", settings.media.limits())
        try:
            for kind, suffix, write in _SAMPLES:
                sample = write(place / f"sample{suffix}")
                asyncio.run(store.admit(sample, kind.value, kind))
        except ClapperError as problem:
            cause = problem.__cause__
            detail = explain(problem) if cause is None else f"{explain(problem)} {cause}"
            yield DoctorFinding(what, Severity.BAD, detail, say("doctor_files_fix"))
            return
    yield DoctorFinding(what, Severity.GOOD, say("doctor_files_good"))
