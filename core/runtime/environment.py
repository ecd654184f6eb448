"""What the process hands to libraries that read nothing but the environment."""

import os


def hand_on(name: str, value: str) -> None:
    """Set the variable ``name`` for a library that reads nothing else."""
    os.environ[name] = value
