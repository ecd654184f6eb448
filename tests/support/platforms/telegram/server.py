"""The local Telegram as one object: start it, let people write, break it, look at it."""

import asyncio
import re
from typing import Any, Self, cast

from aiohttp import web

from tests.support.platforms.faults import Fault, Faults
from tests.support.platforms.telegram.api import Api, parse
from tests.support.platforms.telegram.rules import ApiError
from tests.support.platforms.telegram.world import Chat, World

MAX_REQUEST = 200 * 1024 * 1024
TEXT_FIELDS = {"text", "caption", "callback_query_id", "file_id", "inline_query_id", "title"}


class TelegramServer:
    """The Bot API and its file downloads on one port of 127.0.0.1."""

    def __init__(self, token: str = "4242:local") -> None:  # opens nothing real
        self.token = token
        self.world = World()
        self.api = Api(self.world)
        self.faults = Faults()
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one."""
        app = web.Application(client_max_size=MAX_REQUEST)
        app.router.add_route("*", "/bot{token}/{method}", self._method)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    def press(self, user_id: int, chat: Chat, message_id: int, data: str, **about: str) -> str:
        """Let a person press an inline button; returns the callback query's id.

        ``about`` says more of the person, as the language of their app.
        """
        stored = self.world.messages[chat.id, message_id]
        query = f"q{self.world.next_id()}"
        sender = {"id": user_id, "is_bot": False, "first_name": f"user{user_id}"}
        self.world.push(
            callback_query={
                "id": query,
                "from": {**sender, "language_code": "en", **about},
                "message": self.api.payload(stored),
                "chat_instance": "1",
                "data": data,
            }
        )
        return query

    def photo(self, content: bytes, width: int = 640, height: int = 480) -> dict[str, Any]:
        """Return the fields of a photo message, smallest size first as Telegram orders them."""
        large = self.world.keep(f"photo{self.world.next_id()}", content)
        small = self.world.keep(f"thumb{self.world.next_id()}", content[:100])
        size = {"file_size": len(content), "width": width, "height": height}
        return {
            "photo": [
                {"file_id": small, "file_unique_id": small, "width": 90, "height": 67},
                {"file_id": large, "file_unique_id": large, **size},
            ]
        }

    def file(self, kind: str, content: bytes, mime: str, **extra: Any) -> dict[str, Any]:
        """Return the fields of a message with a voice, audio, video, animation or document."""
        file_id = self.world.keep(f"{kind}{self.world.next_id()}", content)
        base: dict[str, Any] = {"file_id": file_id, "file_unique_id": file_id}
        base |= {"file_size": len(content), "mime_type": mime}
        if kind != "document":
            base["duration"] = 2
        if kind in {"video", "animation"}:
            base |= {"width": 320, "height": 240}
        if kind == "video_note":
            base["length"] = 240
        return {kind: {**base, **extra}}

    async def _method(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != self.token:
            return _answer({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
        data, files = await _body(request)
        self.world.calls.append((method, data))
        self.world.notify()
        fault = self.faults.take(method, request.path, request.content_length or 0)
        if fault is not None and not fault.after_storing:
            await asyncio.sleep(fault.delay_s)
            failed = _fail(request, fault)
            if failed is not None:
                return failed
        try:
            response = _answer({"ok": True, "result": await self.api.call(method, data, files)})
        except ApiError as error:
            response = _answer(error.payload, error.code)
        if fault is not None and fault.after_storing:
            await asyncio.sleep(fault.delay_s)
            return _fail(request, fault) or response
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = re.sub(r"^documents/", "", request.match_info["path"])
        fault = self.faults.take("file", request.path, 0)
        if fault is not None and (failed := _fail(request, fault)) is not None:
            return failed
        content = self.world.files.get(name)
        if request.match_info["token"] != self.token or content is None:
            return _answer({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
        return web.Response(body=content)


def _fail(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    if fault.drop and request.transport is not None:
        request.transport.abort()
        return web.Response()
    if fault.status is None:
        return None
    body = {"ok": False, "error_code": fault.status, "description": "fault", **fault.body}
    return _answer(body, fault.status)


def _answer(data: object, status: int = 200) -> web.Response:
    return web.json_response(data, status=status)


async def _body(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    data: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    if request.content_type == "application/json":
        return await request.json(), files
    if request.content_type == "multipart/form-data":
        # not request.post(): of a client that goes away it leaves the files so far open
        async for part in await request.multipart():
            field = cast("Any", part)
            if field.filename:
                files[field.name] = bytes(await field.read())
            else:
                data[field.name] = _value(field.name, await field.text())
        return data, files
    for name, value in (await request.post()).items():
        data[name] = _value(name, str(value))
    return data, files


def _value(name: str, text: str) -> Any:
    return text if name in TEXT_FIELDS else parse(text)
