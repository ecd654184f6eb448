"""Keep the request that a person is still filling in: one form per person and chat."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from bots.telegram.address import PLATFORM
from bots.telegram.option_parser import TypedText
from core.domain.decoding import UndecodableError, decode
from core.domain.followups import typed_over
from core.domain.lineage import JobOrigin
from core.domain.media import MediaFile, MediaKind
from core.domain.modes import MODES, MediaSlot, Mode
from core.domain.options import OPTIONS, Options
from core.domain.people import Caller, Requester
from core.domain.requests import file_to_json
from core.domain.time_units import DAY_MS
from core.domain.words import StyleWords
from core.errors import DraftUnreadable, MediaGone
from core.service.front_services import FrontState
from core.service.user_files import UserFiles

FRONT = "telegram-draft"
HOLDER = "draft:telegram"  # before chat and person, as who needs a file
LIFETIME_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What a person sent so far; ``unassigned`` files have no role until the mode is known."""

    mode: Mode | None = None
    options: Options = field(default_factory=Options)
    media: dict[str, MediaFile] = field(default_factory=dict[str, MediaFile])
    unassigned: tuple[MediaFile, ...] = ()
    spoiler: bool = False  # the clip is hidden until it is tapped
    private: bool = False  # it comes in the private chat
    guessed: bool = False  # the mode was not said; buttons offer others
    unknown: tuple[str, ...] = ()  # what looked like an option and stayed in the prompt
    origin: JobOrigin | None = None  # the button that it was begun with
    style: StyleWords | None = None  # of the clip that it was begun from, with its words
    left_out: int = 0  # files that were sent and not kept, as no mode takes so many
    question: int = 0  # id of the message whose buttons choose the mode; 0: none is known

    def with_file(self, file: MediaFile) -> Self:
        """Add a file: behind those of its kind, where one of its slots is free."""
        if self.mode is not None and any(slot.kind is file.kind for slot in self.free()):
            return replace(self, media=self._media_with(file))
        return replace(self, unassigned=(*self.unassigned, file))

    def _media_with(self, file: MediaFile) -> dict[str, MediaFile]:
        """Return the files by role with ``file`` behind those of its kind."""
        if self.mode is None:
            return self.media
        spec = MODES[self.mode]
        same = sum(one.kind is file.kind for one in self.media.values())
        roles = spec.roles_for(file.kind, same)
        before = [self.media[role] for role in roles if role in self.media]
        if len(before) < same:  # somewhere in between one is gone: it is sent again
            role = next(slot.role for slot in self.free() if slot.kind is file.kind)
            return {**self.media, role: file}
        others = {role: one for role, one in self.media.items() if one.kind is not file.kind}
        now = spec.roles_for(file.kind, same + 1)
        return others | dict(zip(now, [*before, file], strict=True))

    def with_mode(self, mode: Mode) -> Self:
        """Set the mode, and put the files into its slots; the others stay for another mode."""
        form = replace(self, mode=mode, media={}, unassigned=())
        for file in (*self.media.values(), *self.unassigned):
            form = form.with_file(file)
        return form

    def missing(self) -> list[MediaSlot]:
        """List the slots that have no file yet."""
        if self.mode is None:
            return []
        return [slot for slot in MODES[self.mode].slots if slot.role not in self.media]

    def free(self) -> list[MediaSlot]:
        """List the slots that may take a file: first those that need one."""
        if self.mode is None:
            return []
        return [slot for slot in MODES[self.mode].every_slot if slot.role not in self.media]

    def needs_prompt(self) -> bool:
        """Tell whether the mode needs a prompt and there is none."""
        return (
            self.mode is not None
            and MODES[self.mode].prompt_required
            and not self.options.prompt.strip()
        )

    @property
    def files(self) -> tuple[MediaFile, ...]:
        """List every file in the form."""
        return (*self.media.values(), *self.unassigned)

    def without(self, gone: Collection[MediaFile]) -> Self:
        """Remove files that are not stored any more."""
        media = {role: file for role, file in self.media.items() if file not in gone}
        return replace(
            self, media=media, unassigned=tuple(f for f in self.unassigned if f not in gone)
        )

    def roles_for(self, kinds: Iterable[MediaKind]) -> dict[MediaKind, str]:
        """Return the free slot for a file of each of ``kinds``; its kind before the mode is known.

        Nothing where no slot is free for it.
        """
        if self.mode is None:
            return {kind: kind.value for kind in kinds}
        free: dict[MediaKind, str] = {}
        for slot in self.free():
            free.setdefault(slot.kind, slot.role)
        return {kind: free[kind] for kind in kinds if kind in free}

    def with_options(self, options: Options) -> Self:
        """Add options that were typed; earlier ones stay where nothing new was given."""
        values = typed_over(typed(self.options), typed(options))
        return replace(self, options=Options.of(values))

    def with_text(self, text: TypedText) -> Self:
        """Add what was typed: a prompt, options, and what was said about it."""
        form = self.with_options(text.options)
        veiled = self.spoiler or text.spoiler
        private = self.private or text.private
        unknown = (*self.unknown, *text.unknown)
        return replace(form, spoiler=veiled, private=private, unknown=unknown)

    def to_json(self) -> dict[str, Any]:
        """Convert the form to plain data."""
        return {
            "mode": self.mode,
            "options": typed(self.options),
            "media": {role: file_to_json(file) for role, file in self.media.items()},
            "loose": [file_to_json(file) for file in self.unassigned],
            "spoiler": self.spoiler,
            "private": self.private,
            "origin": None if self.origin is None else asdict(self.origin),
            "style": None if self.style is None else asdict(self.style),
            "left_out": self.left_out,
            "question": self.question,
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a form from what :meth:`to_json` returned.

        Raises:
            UndecodableError: another version wrote it, and this one cannot read it.
        """
        stored = decode(_StoredForm, data)
        if stored.mode is not None and not set(stored.media) <= {
            slot.role for slot in MODES[stored.mode].every_slot
        }:
            raise UndecodableError("media")
        typed_ones = {name: it for name, it in stored.options.items() if it is not None}
        options = decode(Options, typed_ones)
        return cls(
            mode=stored.mode,
            options=options,
            media=stored.media,
            unassigned=tuple(stored.loose),
            spoiler=stored.spoiler,
            private=stored.private,
            origin=stored.origin,
            style=stored.style,
            left_out=stored.left_out,
            question=stored.question,
        )


@dataclass(frozen=True, slots=True)
class _StoredForm:
    """A form as it is stored."""

    mode: Mode | None = None
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    media: dict[str, MediaFile] = field(default_factory=dict[str, MediaFile])
    loose: list[MediaFile] = field(default_factory=list[MediaFile])
    spoiler: bool = False
    private: bool = False
    origin: JobOrigin | None = None
    style: StyleWords | None = None
    left_out: int = 0
    question: int = 0


def typed(options: Options) -> dict[str, Any]:
    """Return what a person chose in ``options``, by name."""
    return {name: value for name, value in options.values().items() if value != OPTIONS[name].blank}


class RequestForms:
    """The stored forms, by chat and person."""

    def __init__(self, state: FrontState, files: UserFiles) -> None:
        self._state = state
        self._files = files

    async def load(self, chat_id: int, user_id: int) -> RequestForm | None:
        """Read a person's form in this chat; files that are gone are missing again.

        Raises:
            DraftUnreadable: another version wrote it, and this one cannot read it; it is gone now.
        """
        name = f"{chat_id}:{user_id}"
        data = await self._state.recall(FRONT, name)
        if data is None:
            return None
        try:
            form = RequestForm.from_json(data)
        except UndecodableError:
            owner = Caller(Requester(PLATFORM, str(user_id)), f"{PLATFORM}:{chat_id}")
            await self._files.keep_only(owner, (), f"{HOLDER}:{name}", 0)
            await self._state.remember(FRONT, name, None)
            raise DraftUnreadable from None
        return form.without([file for file in form.files if not self._files.present(file)])

    async def has(self, chat_id: int, user_id: int) -> bool:
        """Tell whether a person began a form in this chat, readable or not."""
        return await self._state.recall(FRONT, f"{chat_id}:{user_id}") is not None

    async def save(self, caller: Caller, chat_id: int, form: RequestForm | None) -> None:
        """Store the caller's form in this chat and hold its files; None drops both.

        Raises:
            MediaGone: a file was deleted meanwhile.
        """
        name = f"{chat_id}:{caller.requester.user_id}"
        files = () if form is None else form.files
        if not await self._files.keep_only(caller, files, f"{HOLDER}:{name}", LIFETIME_MS):
            raise MediaGone(next(f.kind for f in files if not self._files.present(f)))
        await self._files.release(caller, files)
        await self._state.remember(FRONT, name, None if form is None else form.to_json())

    async def forget(self, caller: Caller) -> None:
        """Drop the caller's forms in all chats."""
        for name in await self._state.recall_all(FRONT):
            if name.endswith(f":{caller.requester.user_id}"):
                await self._files.keep_only(caller, (), f"{HOLDER}:{name}", 0)
                await self._state.remember(FRONT, name, None)

    async def prune(self) -> None:
        """Drop forms that nobody changed for a day."""
        await self._state.forget_older(FRONT, LIFETIME_MS)
