"""What stands in a mode's form, and what that means as a request's options."""

from dataclasses import dataclass, fields, replace

from core.domain.followups import options_of
from core.domain.modes import MODES, Mode
from core.domain.options import ASPECTS, Options
from core.domain.parsing import parse_seed
from core.domain.requests import Request

AUTO = "auto"  # the aspect that follows the file, or the preset


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
            seed=parse_seed(self.seed) if self.lock else None,
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
