"""Write the folder of a Space: code, page, settings, requirements, pictures and examples."""

import shutil
from collections.abc import Callable
from pathlib import Path

from core.cli.space.carried_settings import settings_file
from core.cli.space.readme import THUMBNAIL, SpacePage, readme
from core.cli.space.requirements import requirements
from core.demo.paint import MORNING, NIGHT, coast, portrait, poster
from core.demo.sounds import speech, tune, write_samples
from core.models.catalog import ModelFile
from core.runtime.program_files import PACKAGES, PROJECT_ROOT
from core.settings import SPACE_SETTINGS, Settings

_PACKAGES = ("core", "webui")
_FILES = ("workflows", "migrations", "comfyui/pins.toml", "LICENSE")
# commands, what tests start, and workflows of whoever builds: a Space runs none of them
_LEFT_OUT = ("core/cli", "core/demo", "core/testing", "core/comfy/testing", "core/resources",
             "webui/testing", "workflows/custom")  # fmt: skip
_UNWANTED = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store")
_WIDE = (1152, 768)  # px
_SOUND_S = 4.0
_PICTURE = "docs/images/studio-desktop.png"
_ENTRY = '''\
"""Start the Studio; its settings are in {settings}, and variables of the Space win over them."""

from webui.space.start import main

main()
'''
# the platform keeps what these patterns name in large-file storage
_BINARY = ("*.jpg", "*.mp4", "*.ogg", "*.png", "*.wav", "*.woff2")
_ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _BINARY)


def write_space(
    folder: Path, page: SpacePage, files: tuple[ModelFile, ...], settings: Settings
) -> None:
    """Write page, settings, requirements, entry and code into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PACKAGES:
        _copy(PACKAGES, name, folder / name)
    for name in _FILES:
        _copy(PROJECT_ROOT, name, folder / name)
    _copy(PROJECT_ROOT, _PICTURE, folder / THUMBNAIL)
    _write_examples(folder / "examples")
    texts = {
        "README.md": readme(page, files, settings),
        "requirements.txt": "\n".join([*requirements(), ""]),
        SPACE_SETTINGS: settings_file(settings),
        ".gitattributes": _ATTRIBUTES,
        "app.py": _ENTRY.format(settings=SPACE_SETTINGS),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")


def _write_examples(folder: Path) -> None:
    """Draw the pictures and sounds that the page offers to begin with."""
    folder.mkdir()
    for name, hour in {"morning": MORNING, "night": NIGHT}.items():
        coast(hour, *_WIDE).save(folder / f"{name}.jpg", quality=90)
    portrait(768, 768).save(folder / "portrait.jpg", quality=90)
    poster(*_WIDE).save(folder / "poster.jpg", quality=90)
    write_samples(folder / "voice.wav", speech(_SOUND_S))
    write_samples(folder / "melody.wav", tune(_SOUND_S))


def _copy(root: Path, name: str, target: Path) -> None:
    source = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=_ignored(root))
    else:
        shutil.copy(source, target)


def _ignored(root: Path) -> Callable[[str, list[str]], set[str]]:
    """Return what :func:`shutil.copytree` asks which names of a folder to leave out."""

    def names(folder: str, found: list[str]) -> set[str]:
        here = Path(folder).relative_to(root)
        left = {name for name in found if (here / name).as_posix() in _LEFT_OUT}
        return left | set(_UNWANTED(folder, found))

    return names
