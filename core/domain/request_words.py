"""Check the words of a request, and say what was made of them."""

from core.domain.adjustments import Adjustment
from core.domain.limits import RequestLimits
from core.domain.modes import MODES
from core.domain.requests import Request
from core.domain.wildcards import check_wildcards
from core.domain.words import joined
from core.errors import PromptMissing, WordsTooLong


def check_words(request: Request, limits: RequestLimits) -> None:
    """Refuse words that cannot be drawn, or are too many with those of the style.

    Raises:
        WildcardsTooMany, WildcardsTooDeep: naming the limit.
        WordsTooLong: with the words of the style.
        PromptMissing: the mode needs words, and none were drawn.
    """
    style, negative = request.style, request.sampling.negative_prompt
    whole = [request.prompt, negative]
    if style is not None:
        whole = [
            joined(style.before, request.prompt, style.after),
            joined(negative, style.negative),
        ]
    for text in whole:
        check_wildcards(text)
    if MODES[request.mode].prompt_required and not request.wording.prompt.strip():
        raise PromptMissing(request.mode)
    longest = max(len(text) for text in (request.wording.prompt, request.wording.negative))
    if style is not None and longest > limits.prompt_characters:
        raise WordsTooLong(style.name, longest, limits.prompt_characters)


def words_note(request: Request) -> Adjustment | None:
    """Say which words the model was given, None where they are those that were typed.

    For who may read the prompt: a ticket may be read by others.
    """
    words = request.wording.prompt
    return None if words == request.prompt else Adjustment("words_given", {"words": words})
