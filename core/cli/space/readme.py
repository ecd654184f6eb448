"""The page of a Space: what the platform reads at its head, and what people read below it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from core.cli.space.requirements import PYTHON, locked
from core.domain.modes import MODES
from core.i18n.messages import DEFAULT_LANGUAGE, name, say, speaking
from core.models.catalog import FAMILY, ModelFile
from core.settings import SPACE_SETTINGS, Settings

MOST_ENTRIES = 10  # of preload_from_hub
THUMBNAIL = "thumbnail.png"
HARDWARE = "zero-a10g"  # how the platform calls ZeroGPU, whatever cards it lends
HUB = "https://huggingface.co"
_BODY = Path(__file__).with_name("readme.md")
_TAGS = ("text-to-video", "image-to-video", "lip-sync", "audio", "comfyui", *FAMILY.tags)


@dataclass(frozen=True, slots=True)
class SpacePage:
    """What whoever builds a Space says of it."""

    title: str = "Clapper"
    space: str = ""  # owner/name on the hub, for the picture that is shown with links to it
    code: str = ""  # address of the code, where it is kept besides the Space


def preload(files: tuple[ModelFile, ...]) -> list[str]:
    """Return the entries of ``preload_from_hub``: one a repository and commit."""
    groups: dict[tuple[str, str], list[str]] = {}
    for file in files:
        groups.setdefault((file.repo, file.revision), []).append(file.path)
    return [f"{repo} {','.join(paths)} {commit}" for (repo, commit), paths in groups.items()]


def readme(page: SpacePage, files: tuple[ModelFile, ...], settings: Settings) -> str:
    """Return the Space's page with its configuration, in the language of the rest of it."""
    with speaking(DEFAULT_LANGUAGE):
        return f"{_head(page, files)}\n{_body(page, files, settings)}"


def _head(page: SpacePage, files: tuple[ModelFile, ...]) -> str:
    single = {
        "title": _quoted(page.title),  # a colon would end it otherwise
        "emoji": "🎬",
        "colorFrom": "gray",
        "colorTo": "yellow",
        "sdk": "gradio",
        "sdk_version": locked()["gradio"],
        "python_version": _quoted(PYTHON),
        "suggested_hardware": HARDWARE,
        "app_file": "app.py",
        "startup_duration_timeout": "1h",
        "hf_oauth": "true",
        "license": "mit",
        "short_description": say("studio_tagline"),
    }
    if page.space:
        single["thumbnail"] = f"{HUB}/spaces/{page.space}/resolve/main/{THUMBNAIL}"
    lists = {
        "tags": list(_TAGS),
        "models": sorted({file.repo for file in files}),
        "preload_from_hub": preload(files),
    }
    lines = [f"{key}: {value}" for key, value in single.items()]
    for key, values in lists.items():
        lines += [f"{key}:", *(f"  - {value}" for value in values)]
    return "\n".join(["---", *lines, "---", ""])


def _body(page: SpacePage, files: tuple[ModelFile, ...], settings: Settings) -> str:
    licences = sorted({f"[{file.licence.name}]({file.licence.url})" for file in files})
    code = f"[{page.code}]({page.code})" if page.code else "in the Files tab of this Space"
    values = {
        "title": page.title,
        "tagline": say("studio_tagline"),
        "note": say("studio_ai_note"),
        "thumbnail": THUMBNAIL,
        "modes": "\n".join(_mode_rows()),
        "code": code,
        "settings": SPACE_SETTINGS,
        "licences": ", ".join(licences),
        "repos": ", ".join(f"[{repo}]({HUB}/{repo})" for repo in sorted({f.repo for f in files})),
        **_figures(settings),
    }
    return Template(_BODY.read_text("utf-8")).substitute(values)


def _figures(settings: Settings) -> Mapping[str, str]:
    """Return what the settings say of limits and of what is kept."""
    studio, requests, media = settings.studio, settings.requests, settings.media
    member = settings.quota.minutes if studio.member_minutes is None else studio.member_minutes
    figures = {
        "max_seconds": requests.max_seconds,
        "max_side": requests.max_side,
        "image_megabytes": media.image_megabytes,
        "media_megabytes": media.stream_megabytes,
        "media_seconds": media.stream_seconds,
        "guest_minutes": studio.guest_minutes,
        "network_minutes": studio.network_minutes,
        "member_minutes": member,
        "pro_minutes": member if studio.pro_minutes is None else studio.pro_minutes,
        "window_hours": settings.quota.window_hours,
        "retention_days": settings.retention.days,
        "audit_days": settings.retention.audit_days,
        "sign_in_hours": settings.sign_in.hours,
    }
    return {
        **{key: f"{value:g}" for key, value in figures.items()},
        "profile": settings.models.profile,
        "prompt_in_clip": "also" if settings.retention.prompt_in_metadata else "never",
    }


def _mode_rows() -> list[str]:
    rows = ["| mode | from | try |", "|---|---|---|"]
    for mode, spec in MODES.items():
        slots = ", ".join(name(slot.role) for slot in spec.slots) or "words alone"
        rows.append(f"| {name(mode)} | {slots} | {say(f'mode.{mode}.example')} |")
    return rows


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
