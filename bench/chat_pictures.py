"""What the pictures of the chats share: moments in words, a still of a clip, and the camera."""

import shutil
from io import BytesIO
from pathlib import Path

import av
from playwright.async_api import async_playwright

# By language: what is to come, what is over, and one and more seconds, minutes and hours.
UNITS = {
    "en": ("in {}", "{} ago", (("second", "s"), ("minute", "s"), ("hour", "s"))),
    "de": ("in {}", "vor {}", (("Sekunde", "n"), ("Minute", "n"), ("Stunde", "n"))),
}


def moment(away: float, locale: str) -> str:
    """Return what a chat shows for a moment ``away`` seconds from now; below 0 it is over."""
    later, before, (seconds, minutes, hours) = UNITS[locale.partition("-")[0]]
    size = max(1, abs(away))
    units = ((3600, hours), (60, minutes), (1, seconds))
    count, unit = next((round(size / each), unit) for each, unit in units if size >= each)
    one, more = unit
    return (later if away > 0 else before).format(f"{count} {one}{more if count > 1 else ''}")


def middle_of(film: bytes) -> bytes:
    """Return the frame in the middle of ``film`` as a JPEG."""
    with av.open(BytesIO(film)) as container:
        frames = list(container.decode(video=0))
    still = BytesIO()
    frames[len(frames) // 2].to_image().save(still, "JPEG", quality=85)
    return still.getvalue()


async def shoot(pages: dict[str, str], width: int, out: Path, suffix: str) -> None:
    """Write each page, ``width`` px wide, as a picture of its own height."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": width, "height": 100})
        for name, content in pages.items():
            await page.set_content(content)
            await page.screenshot(path=out / f"{name}{suffix}.png", full_page=True)
        await browser.close()
