"""Write a file of settings with a comment above each value."""

from pydantic import SecretStr

from core.cli.setup.answers import Answers
from core.i18n.messages import say
from core.settings.env_file import written


def settings_text(answers: Answers) -> str:
    """Return the content of the file: what was answered, each with what it means."""
    parts = [f"# {say('setup_file_head')}\n"]
    for variable, value in answers.variables().items():
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        comment = say(f"setup_file_{variable.lower()}")
        parts.append(f"# {comment}\nCLAPPER_{variable}={written(text)}\n")
    return "\n".join(parts)
