"""Text that may be shown on a terminal or written into one line, whatever it was made of."""

import re

# C0 and C1 controls, what turns the direction of writing, and bytes of names that are no text;
# joiners stay, emoji and scripts need them
_UNSEEN = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
    "\\ud800-\\udfff\\ufff9-\\ufffb"
)
_CONTROLS = re.compile(f"[{_UNSEEN}]")
_ANY = re.compile(f"[\\t\\n{_UNSEEN}]")
_BYTES = range(0xDC80, 0xDD00)  # how Python keeps bytes 80…FF of a name that is not UTF-8


def printable(text: str) -> str:
    r"""Return ``text`` with its control characters spelt out, ``\x1b``; lines and tabs stay."""
    return _CONTROLS.sub(lambda found: _spelt(ord(found[0])), text)


def unprintable(text: str) -> bool:
    """Return whether ``text`` holds a control character, line breaks and tabs among them."""
    return bool(_ANY.search(text))


def _spelt(code: int) -> str:
    if code in _BYTES:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
