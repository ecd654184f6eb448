"""Judge what a language model made of a prompt, and keep what the person wrote."""

import re
from itertools import pairwise

LONGEST = 200  # words; what the makers of the model advise
_SHORTEST = 5  # words; less says nothing
_LABEL = re.compile(r"^\W*(?:enhanced |video |final )*(?:prompt|output)\s*:\s*", re.IGNORECASE)
_REFUSAL = re.compile(
    r"^\W*(?:i['’]?m (?:sorry|unable)|i (?:cannot|can['’]?t|am (?:sorry|unable))|as an ai\b|sorry)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?…”\"'])\s+")
_QUOTED = re.compile(r"[\"“„«»]([^\"“”„«»]{2,})[\"”“«»]")
_WORD = re.compile(r"\w+")


def enhanced(generated: str, typed: str) -> str | None:
    """Return the prompt to use in place of ``typed``; None where ``generated`` is of no use.

    The words that were typed are all in it: where the model left one out, they come first.

    Args:
        generated: what the model wrote.
        typed: what the person wrote.
    """
    text = _cleaned(generated)
    if len(typed.split()) >= LONGEST or not _is_prose(text):
        return None
    if not _keeps(text, typed):
        joint = " " if typed.rstrip()[-1:] in ".!?…" else ". "
        text = f"{typed.strip()}{joint}{text}"
    return shortened(text, len(typed.split()))


def shortened(text: str, least: int = 0) -> str:
    """Return ``text`` up to the last sentence that ends within :data:`LONGEST` words.

    Args:
        text: of any length.
        least: words at the beginning that stay, whatever sentence they end in.
    """
    words = text.split()
    if len(words) <= LONGEST:
        return " ".join(words)
    kept: list[str] = []
    for sentence in _SENTENCE.split(" ".join(words)):
        parts = sentence.split()
        if len(kept) + len(parts) > LONGEST:
            break
        kept += parts
    return " ".join(kept if len(kept) >= max(least, _SHORTEST) else words[:LONGEST])


def _cleaned(text: str) -> str:
    """Return ``text`` in one line, without what models put around an answer."""
    lines = [line.strip().lstrip("#>*-• ").strip() for line in text.split("\n")]
    joined = " ".join(line for line in lines if line and not line.startswith("```"))
    plain = _LABEL.sub("", joined.replace("**", "").replace("`", "")).strip()
    if len(plain) > 1 and plain[0] in '"“' and plain[-1] in '"”' and not _QUOTED.match(plain[1:]):
        plain = plain[1:-1].strip()
    return plain


def _is_prose(text: str) -> bool:
    """Tell whether ``text`` reads like sentences: enough words, letters, and few said again."""
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < _SHORTEST or _REFUSAL.match(text) or "�" in text:
        return False
    if re.search(r"<\w+>|\[/?\w+\]|[{}\\]", text):  # marks of a template or of code
        return False
    letters = sum(one.isalpha() or one.isspace() for one in text)
    again = sum(one == other for one, other in pairwise(words))
    varied = len(set(words[:60])) >= 0.35 * len(words[:60])
    usual = sum(len(word) <= 20 for word in words) >= 0.95 * len(words)
    return letters >= 0.8 * len(text) and again <= 0.1 * len(words) and varied and usual


def _keeps(text: str, typed: str) -> bool:
    """Tell whether every word of ``typed`` is in ``text``, and what is quoted letter for letter."""
    there = {word.lower() for word in _WORD.findall(text)}
    quoted = all(part.strip() in text for part in _QUOTED.findall(typed))
    return quoted and all(word.lower() in there for word in _WORD.findall(typed))
