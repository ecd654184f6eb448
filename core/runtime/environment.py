"""What the process hands to libraries that read nothing but the environment."""

import os


def hand_on(name: str, value: str) -> None:
    """Set the variable ``name`` for a library that reads nothing else."""
    os.environ[name] = value


def offer(name: str, value: str) -> None:
    """Set the variable ``name`` for such a library, unless somebody set it already."""
    if not os.environ.get(name, "").strip():
        os.environ[name] = value
