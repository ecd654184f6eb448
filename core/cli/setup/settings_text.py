"""Write a file of settings with a comment above each value."""

import re

from pydantic import SecretStr

from core.cli.setup.answers import Answers
from core.i18n.messages import say

_PLAIN = re.compile(r"[\w./:@,+-]*")


def settings_text(answers: Answers) -> str:
    """Return the content of the file: what was answered, each with what it means."""
    parts = [f"# {say('setup_file_head')}\n"]
    for variable, value in answers.variables().items():
        comment = say(f"setup_file_{variable.lower()}")
        parts.append(f"# {comment}\nCLAPPER_{variable}={_quoted(value)}\n")
    return "\n".join(parts)


def _quoted(value: str | SecretStr) -> str:
    """Write ``value`` as the reader of the file takes it back."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
