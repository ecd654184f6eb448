"""What may be asked for: the ranges of a request's values and of an uploaded file."""

from typing import Annotated

from pydantic import Field

from core.domain.limits import MEGABYTE, MediaLimits, RequestLimits
from core.settings.area import Area, ReadFrom


class RequestSettings(Area):
    """The ranges of a request's values."""

    prompt_characters: int = Field(default=2000, ge=1, le=10_000)
    min_seconds: float = Field(default=1.0, ge=0.5, le=60)
    max_seconds: float = Field(default=20.0, ge=1, le=60)
    max_film_seconds: float = Field(default=60.0, ge=1, le=600)
    min_side: int = Field(default=256, ge=64, le=4096)  # px
    max_side: int = Field(default=1920, ge=256, le=4096)  # px
    max_megapixels: float = Field(default=2.1, ge=0.01, le=17)
    min_fps: int = Field(default=8, ge=1, le=60)
    max_fps: int = Field(default=30, ge=8, le=60)
    default_fps: int = Field(default=24, ge=8, le=60)
    default_seconds: float = Field(default=5.0, ge=0.5, le=60)

    def limits(self) -> RequestLimits:
        """Return the ranges of a request's values, as core and fronts judge by them.

        Here and not in :mod:`core.app.rules`: fronts ask too, and they do not know that module.
        """
        return RequestLimits(
            prompt_characters=self.prompt_characters,
            min_seconds=self.min_seconds,
            max_seconds=self.max_seconds,
            max_film_seconds=self.max_film_seconds,
            min_side=self.min_side,
            max_side=self.max_side,
            max_pixels=round(self.max_megapixels * 1_000_000),
            min_fps=self.min_fps,
            max_fps=self.max_fps,
            default_fps=self.default_fps,
            default_seconds=self.default_seconds,
        )


class MediaSettings(Area):
    """The ranges of an uploaded file: an image, or a stream, which is sound or film."""

    image_megabytes: float = Field(default=50, ge=0.001, le=2000)  # decimal
    image_megapixels: float = Field(default=200, ge=0.001, le=1000)
    stream_megabytes: Annotated[float, ReadFrom("CLAPPER_MEDIA_MEGABYTES")] = Field(
        default=50, ge=0.001, le=4000
    )
    stream_seconds: Annotated[float, ReadFrom("CLAPPER_MEDIA_SECONDS")] = Field(
        default=60, ge=0.1, le=3600
    )

    def limits(self) -> MediaLimits:
        """Return the ranges of an uploaded file, as core and fronts judge by them.

        Here and not in :mod:`core.app.rules`: fronts ask too, and they do not know that module.
        """
        return MediaLimits(
            image_bytes=round(self.image_megabytes * MEGABYTE),
            image_pixels=round(self.image_megapixels * 1_000_000),
            stream_bytes=round(self.stream_megabytes * MEGABYTE),
            stream_seconds=self.stream_seconds,
        )
