"""The methods of the Bot API that Clapper uses, with the real server's error texts."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.support.platforms.telegram.rules import ApiError, check_commands, check_message
from tests.support.platforms.telegram.world import BOT, Chat, Stored, World

RESTRICTED = (
    *(f"can_send_{kind}s" for kind in ("message", "audio", "document", "photo", "video", "poll")),
    *("can_send_video_notes", "can_send_voice_notes", "can_send_other_messages"),
    *("can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages"),
    *("can_manage_topics", "can_edit_tag", "can_react_to_messages"),
)
ADMINISTRATOR = (  # what the library reads of one
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages"),
    *("can_manage_video_chats", "can_restrict_members", "can_promote_members"),
    *("can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories"),
    *("can_delete_stories", "can_edit_messages"),
)
CONFLICT = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is"
    " running"
)
LONG, SHORT = 512, 120  # characters of a description
MEDIA = ("video", "photo", "document", "animation", "thumbnail", "cover")


def _member(chat: Chat, user_id: int) -> dict[str, Any]:
    person = {"id": user_id, "is_bot": False, "first_name": f"user{user_id}"}
    if user_id in chat.strangers:
        return {"status": "left", "user": person}
    if user_id not in chat.managers:
        return {"status": "member", "user": person}
    return {"status": "creator", "user": person, "is_anonymous": False}


class Api:
    """One coroutine a method, found by name in lower case."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._newest_poll = 0  # the others are ended by it
        self.webhook_error = ""  # what getWebhookInfo says of the last call

    async def call(self, method: str, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        """Run a method by its name.

        Raises:
            ApiError: what the real server would answer.
        """
        handler = getattr(self, f"do_{method.lower()}", None)
        if handler is None:
            raise ApiError(404, "Not Found")
        result = await handler(data, files)
        self.world.notify()
        return result

    async def do_getme(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del data, files
        return BOT

    async def do_deletewebhook(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del data, files
        self.world.webhook = {}
        return True

    async def do_getwebhookinfo(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del data, files
        wrong = {"last_error_message": self.webhook_error} if self.webhook_error else {}
        url = self.world.webhook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": 0, **wrong}

    async def do_setwebhook(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        self.world.webhook = data
        return True

    async def do_getupdates(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        offset = int(data.get("offset", 0))
        self.world.confirm(offset)
        self._newest_poll += 1
        poll = self._newest_poll
        self.world.notify()
        try:
            async with asyncio.timeout(max(0.05, float(data.get("timeout", 0)))):
                while not (due := self._due(offset)):
                    await self.world.changed()
                    if poll != self._newest_poll:
                        raise ApiError(409, CONFLICT)
                return due
        except TimeoutError:
            return []

    def _due(self, offset: int) -> list[dict[str, Any]]:
        return [update for update in self.world.updates if update["update_id"] >= offset][:100]

    async def do_setmycommands(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        check_commands(data["commands"])
        self.world.commands[data.get("language_code", "")] = data["commands"]
        return True

    async def do_getmycommands(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        return self.world.commands.get(data.get("language_code", ""), [])

    async def do_setmydescription(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        return self._describe("description", LONG, data)

    async def do_setmyshortdescription(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        return self._describe("short_description", SHORT, data)

    def _describe(self, field: str, limit: int, data: dict[str, Any]) -> bool:
        text = data.get(field, "")
        if len(text) > limit:
            raise ApiError(400, "Bad Request: DESCRIPTION_TOO_LONG")
        self.world.descriptions[field, data.get("language_code", "")] = text
        return True

    async def do_getmydescription(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        return self._described("description", data)

    async def do_getmyshortdescription(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        return self._described("short_description", data)

    def _described(self, field: str, data: dict[str, Any]) -> dict[str, str]:
        """As the real server: what has no words in a language is told in the general ones."""
        known = self.world.descriptions
        own = known.get((field, data.get("language_code", "")))
        return {field: own or known.get((field, ""), "")}

    async def do_getchat(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        chat = self._chat(data)
        known = {"unlimited_gifts": False, "limited_gifts": False, "unique_gifts": False}
        gifts = {**known, "premium_subscription": False, "gifts_from_channels": False}
        full = {"accent_color_id": 0, "max_reaction_count": 1, "accepted_gift_types": gifts}
        permissions = {"can_send_messages": True, "can_send_videos": chat.members_may}
        return {**chat.payload(), **full, "permissions": permissions}

    async def do_getchatmember(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        chat = self._chat(data)
        if int(data["user_id"]) != BOT["id"]:
            return _member(chat, int(data["user_id"]))
        if chat.type == "channel":
            rights = dict.fromkeys(ADMINISTRATOR, True) | {"can_post_messages": chat.may_send_media}
            return {"status": "administrator", "user": BOT, **rights}
        if chat.may_send_media:
            return {"status": "member", "user": BOT}
        rights = dict.fromkeys(RESTRICTED, False)
        return {"status": "restricted", "user": BOT, "is_member": True, "until_date": 0, **rights}

    async def do_sendmessage(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        return self._send("sendMessage", data, {})

    async def do_sendvideo(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        return self._send("sendVideo", data, self._media(data, files))

    async def do_sendmediagroup(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        media = parse(data["media"]) if isinstance(data["media"], str) else data["media"]
        sent: list[Any] = []
        for item in media:
            name = str(item["media"]).removeprefix("attach://")
            one = {**data, "video": item["media"], "caption": item.get("caption", "")}
            sent.append(await self.do_sendvideo(one, {"video": files[name]}))
        return sent

    async def do_sendphoto(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        return self._send("sendPhoto", data, self._media(data, files))

    async def do_senddocument(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        return self._send("sendDocument", data, self._media(data, files))

    async def do_sendchataction(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        self._chat(data)
        return True

    async def do_editmessagetext(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        message = self._message(data)
        check_message(data, counts_down=self.world.counts_down)
        if message.files:
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        same = data.get("text") == message.payload.get("text")
        if same and data.get("reply_markup") == message.payload.get("reply_markup"):
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        message.payload |= {"reply_markup": None} | data  # buttons that are not sent again are gone
        message.states.append(message.text)
        return self.payload(message)

    async def do_editmessagemedia(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        message = self._message(data)
        media: dict[str, Any] = data["media"]
        self._allow(self.world.chats[message.chat_id], {media["type"]: b""})
        check_message({**media, "reply_markup": data.get("reply_markup")})
        content = self._media({media["type"]: media["media"], **_parts(media)}, files)
        message.files = content
        message.payload.pop("text", None)
        message.payload |= {k: v for k, v in media.items() if k != "media"}
        message.payload["reply_markup"] = data.get("reply_markup")
        message.method = "editMessageMedia"
        message.states.append(message.text)
        return self.payload(message)

    async def do_editmessagereplymarkup(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        message = self._message(data)
        message.payload["reply_markup"] = data.get("reply_markup")
        return self.payload(message)

    async def do_deletemessage(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        try:
            self._message(data).deleted = True
        except ApiError as error:
            if "to edit" in str(error):
                raise ApiError(400, "Bad Request: message to delete not found") from error
            raise
        return True

    async def do_answercallbackquery(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        self.world.answers[data["callback_query_id"]] = data
        return True

    async def do_answerinlinequery(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        self.world.answers[data["inline_query_id"]] = data
        return True

    async def do_getfile(self, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        del files
        content = self.world.files.get(data["file_id"])
        if content is None:
            raise ApiError(400, "Bad Request: invalid file_id")
        if len(content) > self.world.download_limit and self.world.folder is None:
            raise ApiError(400, "Bad Request: file is too big")
        path = f"documents/{data['file_id']}"
        if self.world.folder is not None:
            kept = self.world.folder / data["file_id"]
            kept.write_bytes(content)
            path = str(kept)
        return {
            "file_id": data["file_id"],
            "file_unique_id": data["file_id"],
            "file_size": len(content),
            "file_path": path,
        }

    def _chat(self, data: dict[str, Any]) -> Chat:
        chat = self.world.chats.get(int(data["chat_id"]))
        if chat is None:
            raise ApiError(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.moved_to,
            )
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def _send(self, method: str, data: dict[str, Any], files: dict[str, bytes]) -> Any:
        chat = self._chat(data)
        check_message(data, counts_down=self.world.counts_down)
        self._allow(chat, files)
        thread = data.get("message_thread_id")
        if thread is not None and chat.topics is not None and int(thread) not in chat.topics:
            raise ApiError(400, "Bad Request: message thread not found")
        reply: dict[str, Any] = data.get("reply_parameters") or {}
        target = (chat.id, int(reply.get("message_id", 0)))
        gone = target in self.world.messages and self.world.messages[target].deleted
        if gone and not reply.get("allow_sending_without_reply"):
            raise ApiError(400, "Bad Request: message to be replied not found")
        message = Stored(self.world.next_id(), chat.id, data, files, method=method)
        message.states.append(message.text)
        self.world.messages[chat.id, message.id] = message
        return self.payload(message)

    @staticmethod
    def _allow(chat: Chat, files: dict[str, bytes]) -> None:
        if files and not (chat.may_send_media and chat.members_may):
            raise ApiError(400, "Bad Request: not enough rights to send videos to the chat")

    def _message(self, data: dict[str, Any]) -> Stored:
        chat = self._chat(data)
        found = self.world.messages.get((chat.id, int(data["message_id"])))
        if found is None or found.deleted:
            raise ApiError(400, "Bad Request: message to edit not found")
        return found

    def _media(self, data: dict[str, Any], files: dict[str, bytes]) -> dict[str, bytes]:
        """Return the files of a call by role: uploaded, attached, or known by id.

        Raises:
            ApiError: an unknown file id, or more bytes than allowed.
        """
        found: dict[str, bytes] = {}
        for role in MEDIA:
            value = data.get(role)
            if role in files:
                found[role] = files[role]
            elif isinstance(value, str):
                found[role] = self._named(value, files)
        if any(len(content) > self.world.upload_limit for content in found.values()):
            raise ApiError(413, "Request Entity Too Large")
        return found

    def _named(self, value: str, files: dict[str, bytes]) -> bytes:
        """Return the file that a call names: attached, on the server's disk, or known by id.

        Raises:
            ApiError: there is none.
        """
        if value.startswith("attach://"):
            return files[value.removeprefix("attach://")]
        if value.startswith("file://") and self.world.folder is not None:
            return Path(unquote(value.removeprefix("file://"))).read_bytes()
        if value not in self.world.files:
            raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
        return self.world.files[value]

    def payload(self, message: Stored) -> dict[str, Any]:
        """Return the message object."""
        data = message.payload
        chat = self.world.chats[message.chat_id].payload()
        base: dict[str, Any] = {"message_id": message.id, "date": int(time.time())}
        base |= {"chat": chat, "from": BOT}
        answered = (data.get("reply_parameters") or {}).get("message_id")
        if about := self.world.said_by_people.get((message.chat_id, answered)):
            shown = {name: it for name, it in about.items() if name != "reply_to_message"}
            base["reply_to_message"] = shown
        for name in ("text", "caption"):
            if data.get(name):
                base[name] = data[name]
        if "inline_keyboard" in (data.get("reply_markup") or {}):
            base["reply_markup"] = data["reply_markup"]
        if "video" in message.files:
            content = message.files["video"]
            file_id = self.world.keep(f"video-{message.chat_id}-{message.id}", content)
            numbers = {n: int(data.get(n) or 1) for n in ("width", "height", "duration")}
            base["video"] = {"file_id": file_id, "file_unique_id": file_id, **numbers}
            base["video"]["file_size"] = len(content)
        if "photo" in message.files:
            content = message.files["photo"]
            file_id = self.world.keep(f"photo-{message.chat_id}-{message.id}", content)
            size = {"width": 1, "height": 1, "file_size": len(content)}
            base["photo"] = [{"file_id": file_id, "file_unique_id": file_id, **size}]
        return base


def _parts(media: dict[str, Any]) -> dict[str, Any]:
    return {name: media[name] for name in ("thumbnail", "cover") if name in media}


def parse(value: str) -> Any:
    """Return a form value as data; the Bot API sends objects and numbers as JSON."""
    try:
        return json.loads(value) if value[:1] in '{["-0123456789tfn' else value
    except ValueError:
        return value
