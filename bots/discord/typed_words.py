"""Read the words of a text that holds Discord's own codes."""

import re

# mentions, slash commands, times and emoji of servers, as they stand in the text
CODES = re.compile(r"<(?:@[!&]?\d+|#\d+|/[^:>]+:\d+|t:-?\d+(?::\w)?|a?:\w+:\d+|id:\w+)>")
_EMOJI = re.compile(r"<a?:(\w+):\d+>")
_GAP = re.compile(r"[ \t]{2,}")


def words_typed(text: str) -> str:
    """Return what a person typed into a command or a form: emoji of servers by their names.

    Mentions and other codes go: the model would draw the numbers in them.
    """
    plain = CODES.sub(" ", _EMOJI.sub(lambda found: found[1].replace("_", " "), text))
    return text if plain == text else _GAP.sub(" ", plain).strip()
