"""Whether new jobs are accepted: open, paused or draining."""

from typing import Literal, TypeAlias

Intake: TypeAlias = Literal["open", "paused", "draining"]


INTAKE = "intake"  # names of rows of the table setting
