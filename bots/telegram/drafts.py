"""A request in the making, kept in the database: one per person and chat, so nobody mixes."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from bots.telegram.address import PLATFORM
from core.accounts.community import Community
from core.accounts.file_ownership import FileOwnership
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.people import Requester
from core.domain.requests import Options, file_from_json, file_to_json
from core.errors import MediaGone

FRONT = "telegram-draft"
HOLDER = "draft:telegram"  # before chat and person, as who needs a file
LIFE_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody sent so far. ``loose`` files have no role until the mode is known."""

    mode: Mode | None = None
    options: Options = field(default_factory=Options)
    media: dict[str, MediaFile] = field(default_factory=dict[str, MediaFile])
    loose: tuple[MediaFile, ...] = ()

    def with_file(self, file: MediaFile) -> Self:
        """Return the draft with one more file, in the first free slot of its kind."""
        if self.mode is not None:
            for slot in self.missing():
                if slot.kind is file.kind:
                    return replace(self, media={**self.media, slot.role: file})
        return replace(self, loose=(*self.loose, file))

    def with_mode(self, mode: Mode) -> Self:
        """Return the draft for ``mode``, its loose files put into slots."""
        draft = replace(self, mode=mode, media={}, loose=())
        for file in (*self.media.values(), *self.loose):
            draft = draft.with_file(file)
        return replace(draft, loose=())

    def missing(self) -> list[MediaSlot]:
        """Return the slots that have no file yet."""
        if self.mode is None:
            return []
        return [slot for slot in MODES[self.mode].slots if slot.role not in self.media]

    def needs_prompt(self) -> bool:
        """Return whether nothing but words is missing."""
        return (
            self.mode is not None
            and MODES[self.mode].prompt_required
            and not self.options.prompt.strip()
        )

    @property
    def files(self) -> tuple[MediaFile, ...]:
        """Return every file that it needs."""
        return (*self.media.values(), *self.loose)

    def without(self, gone: Collection[MediaFile]) -> Self:
        """Return the draft as if ``gone`` had never been sent."""
        media = {role: file for role, file in self.media.items() if file not in gone}
        return replace(self, media=media, loose=tuple(f for f in self.loose if f not in gone))

    def wants(self, kind: MediaKind) -> bool:
        """Return whether a file of ``kind`` has a place; before the mode is known, any has."""
        return self.mode is None or any(slot.kind is kind for slot in self.missing())

    def told(self, options: Options) -> Self:
        """Return the draft with what was typed; earlier options stay where nothing new was said."""
        said = {f.name: getattr(options, f.name) for f in fields(Options)}
        blank = Options()
        changes = {k: v for k, v in said.items() if v != getattr(blank, k)}
        return replace(self, options=replace(self.options, **changes))

    def guess(self) -> Mode | None:
        """Return the mode that the kinds of the loose files say, None where several fit."""
        kinds = [file.kind for file in self.loose]
        match sorted(kinds):
            case [MediaKind.AUDIO, MediaKind.IMAGE]:
                return Mode.LIPSYNC
            case [MediaKind.IMAGE, MediaKind.VIDEO]:
                return Mode.STYLE
            case [MediaKind.IMAGE, MediaKind.IMAGE]:
                return Mode.KEYFRAME
            case _:
                return None

    def choices(self) -> list[Mode]:
        """Return the modes that can begin with the loose files, for the keyboard; all with none."""
        kinds = {file.kind for file in self.loose}
        return [spec.mode for spec in MODES.values() if kinds <= {slot.kind for slot in spec.slots}]

    def to_json(self) -> dict[str, Any]:
        """Return the draft as plain data."""
        return {
            "mode": self.mode,
            "options": {f.name: getattr(self.options, f.name) for f in fields(Options)},
            "media": {role: file_to_json(file) for role, file in self.media.items()},
            "loose": [file_to_json(file) for file in self.loose],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the draft that :meth:`to_json` described."""
        return cls(
            mode=Mode(data["mode"]) if data["mode"] else None,
            options=Options(**data["options"]),
            media={role: file_from_json(item) for role, item in data["media"].items()},
            loose=tuple(file_from_json(item) for item in data["loose"]),
        )


class Drafts:
    """The drafts of all people, by chat and person."""

    def __init__(self, community: Community, files: FileOwnership) -> None:
        self._community = community
        self._files = files

    async def load(self, chat_id: int, user_id: int) -> Draft | None:
        """Return what the person began in this chat; files that are gone are asked for again."""
        data = await self._community.state.recall(FRONT, f"{chat_id}:{user_id}")
        if data is None:
            return None
        draft = Draft.from_json(data)
        return draft.without([file for file in draft.files if not self._files.present(file)])

    async def save(self, chat_id: int, user_id: int, draft: Draft | None) -> None:
        """Keep or, with None, drop what the person began in this chat, with its files.

        Raises:
            MediaGone: a file is not there any more.
        """
        name, owner = f"{chat_id}:{user_id}", _owner(user_id)
        files = () if draft is None else draft.files
        if not await self._files.hold_only(files, f"{HOLDER}:{name}", owner, LIFE_MS):
            raise MediaGone(next(f.kind for f in files if not self._files.present(f)))
        await self._files.release(files, owner)
        await self._community.state.remember(
            FRONT, name, None if draft is None else draft.to_json()
        )

    async def forget(self, user_id: int) -> None:
        """Drop what the person began anywhere."""
        for name in await self._community.state.recall_all(FRONT):
            if name.endswith(f":{user_id}"):
                await self._files.hold_only((), f"{HOLDER}:{name}", _owner(user_id), 0)
                await self._community.state.remember(FRONT, name, None)

    async def prune(self) -> None:
        """Drop what nobody went on with for a day."""
        await self._community.state.forget_older(FRONT, LIFE_MS)


def _owner(user_id: int) -> Requester:
    return Requester(PLATFORM, str(user_id))
