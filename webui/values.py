"""What stands in a mode's form, and what that means as a request's options."""

from dataclasses import dataclass, fields, replace

from core.actions import options_of
from core.compose import ASPECTS, Options
from core.errors import InvalidInput
from core.limits import MAX_SEED
from core.modes import MODES, Mode
from core.requests import Request

AUTO = "auto"  # the aspect that follows the file, or the preset


class SeedNotANumber(InvalidInput):
    """What is typed as the seed is no whole number."""

    limit: int


def seed_of(given: object) -> int | None:
    """Return the seed that is ``given`` by a person or a program; None where it is left open.

    Raises:
        SeedNotANumber: it is something else than a whole number, or text that holds one.
    """
    text = "" if given is None else str(given).strip()
    if not text:
        return None
    if isinstance(given, bool | float) or not text.isdecimal():
        raise SeedNotANumber(MAX_SEED)
    return int(text)


@dataclass(frozen=True, slots=True)
class Values:
    """The fields of a form, in the order of its components; media are beside them."""

    prompt: str = ""
    preset: str = "balanced"
    aspect: str = AUTO
    width: int | None = None
    height: int | None = None
    follow: bool = False  # as long as the file
    seconds: float = 5.0
    fps: int = 24
    seed: str = ""  # text: browsers round numbers above 2⁵³
    lock: bool = False
    camera: str = "none"
    negative: str = ""

    def options(self) -> Options:
        """Return the same as options.

        Raises:
            SeedNotANumber: something else is typed there.
        """
        return Options(
            prompt=self.prompt,
            preset=self.preset,
            width=round(self.width) if self.width else None,
            height=round(self.height) if self.height else None,
            aspect=None if self.aspect == AUTO else self.aspect,
            seconds=None if self.follow else self.seconds,
            fps=round(self.fps),
            seed=seed_of(self.seed) if self.lock else None,
            camera=self.camera,
            negative_prompt=self.negative,
        )


FIELDS: tuple[str, ...] = tuple(item.name for item in fields(Values))


def values_of(request: Request) -> Values:
    """Return what the form of ``request``'s mode would hold."""
    options = options_of(request)
    known = next((key for key, ratio in ASPECTS.items() if _near(request, ratio)), AUTO)
    values = Values(
        prompt=options.prompt,
        preset=options.preset or "",
        aspect=known,
        width=options.width,
        height=options.height,
        seconds=options.seconds or 0.0,
        fps=options.fps or 0,
        seed=str(options.seed),
        lock=True,
        camera=options.camera or "none",
        negative=options.negative_prompt,
    )
    return replace(values, follow=False)


def follows(mode: Mode) -> bool:
    """Return whether a file gives the length of ``mode``'s clips."""
    return MODES[mode].length_from is not None


def _near(request: Request, ratio: float) -> bool:
    return abs(request.sampling.size.ratio / ratio - 1) < 0.02
