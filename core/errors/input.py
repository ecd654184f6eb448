"""What a person asked for that can never work; nothing was reserved."""

from core.errors.base import ClapperError


class InvalidInput(ClapperError):
    """The request can never work as asked."""


class OutOfRange(InvalidInput):
    """A number lies outside its limits; ``unit`` is a short word such as ``px`` or ``s``."""

    field: str
    value: float
    low: float
    high: float
    unit: str = ""


class NotANumber(InvalidInput):
    """Something else stands where a number from ``low`` to ``high`` is needed."""

    field: str
    value: str
    low: float
    high: float
    unit: str = ""


class SeedNotANumber(InvalidInput):
    """What is given as the seed is not a whole number from 0 to ``limit``."""

    value: str
    limit: int


class NotAChoice(InvalidInput):
    """A value is not in a closed list; ``choices`` is comma separated."""

    field: str
    value: str
    choices: str


class OptionMisspelt(InvalidInput):
    """Nearly the name of an option; ``nearest`` is that name."""

    value: str
    nearest: str


class MediaNotShown(InvalidInput):
    """A message from which a clip shall be made shows nothing for ``role``."""

    mode: str
    role: str


class MediaElsewhere(InvalidInput):
    """What a message shows for ``role`` lies at ``host``, and nothing is fetched from there."""

    role: str
    host: str


class FormExpired(InvalidInput):
    """What a form was opened for is not kept any more."""


class PromptMissing(InvalidInput):
    """The mode needs a prompt and got none."""

    mode: str


class PromptTooLong(InvalidInput):
    """The prompt has more characters than the limit."""

    length: int
    limit: int


class WildcardsTooMany(InvalidInput):
    """A text has ``count`` wildcards."""

    count: int
    limit: int


class WildcardsTooDeep(InvalidInput):
    """Wildcards stand within each other, ``depth`` of them."""

    depth: int
    limit: int


class WordsTooLong(InvalidInput):
    """The prompt with the words of a style has more characters than the limit."""

    style: str
    length: int
    limit: int


class ArgumentTooLong(InvalidInput):
    """What was typed in one place, of which ``value`` is the beginning, has too many characters."""

    value: str
    limit: int


class MediaMissing(InvalidInput):
    """The mode needs a file for ``role`` and got none."""

    mode: str
    role: str


class MediaUnexpected(InvalidInput):
    """A file was given in a role which the mode does not use."""

    mode: str
    role: str


class DraftUnreadable(InvalidInput):
    """Another version of Clapper stored what was begun, and this one cannot read it."""


class NotAnId(InvalidInput):
    """A channel or role that is neither a number nor a mention nor a link to one."""

    field: str
    value: str


class FilmTooLong(InvalidInput):
    """A film of ``film_s`` cannot be continued by ``seconds``: ``limit_s`` is the most in all."""

    film_s: float
    seconds: float
    limit_s: float
    left_s: float


class FilmComplete(InvalidInput):
    """A film of ``film_s`` is as long as one may become."""

    film_s: float
    limit_s: float


class TimesUncounted(InvalidInput):
    """There are ``given`` times for ``pictures`` pictures."""

    given: int
    pictures: int


class TimesOutOfOrder(InvalidInput):
    """A time ``later`` follows ``earlier``, which it lies before; seconds."""

    earlier: float
    later: float


class TimesNotApart(InvalidInput):
    """Two of ``pictures`` pictures are at one frame, ``at_s``; a frame lasts ``frame_s``."""

    at_s: float
    frame_s: float
    pictures: int


class TooManyFiles(InvalidInput):
    """More files than ``mode``, or any (then it is ``one_clip``), takes."""

    mode: str
    kind: str  # ``pictures``, or ``files`` of any kind
    given: int
    limit: int


class FilesNotUsed(InvalidInput):
    """A command of ``mode``, which is made from words alone, came with files."""

    mode: str


class FpsNotEven(InvalidInput):
    """Above ``limit`` frames a second they are doubled, so ``fps`` would have to be even."""

    fps: int
    limit: int
