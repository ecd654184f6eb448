"""What the fields of commands may hold."""

from typing import Annotated

from pydantic import ConfigDict, Field

EXACT = ConfigDict(extra="forbid")
Name = Annotated[str, Field(max_length=300)]
JobId = Annotated[str, Field(max_length=64)]
FilePath = Annotated[str, Field(max_length=4096)]
OptionValue = Annotated[str, Field(max_length=2**17)] | int | float | None
