"""The running program of a Space, and the people who visit it."""

import asyncio
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

if TYPE_CHECKING:
    from tests.space.machine import Machine

READY = re.compile(r"studio_ready.*url=(\S+?)/?$")
PROBLEM = re.compile(r"problem_page_ready.*url=(\S+?)/?$")
RELOADER = "7887"
START_S = 400.0  # of a machine that others use as well; most of it is Gradio's import


class Ended(AssertionError):
    """The program of the Space ended by itself."""


class Running:
    """The program of a Space."""

    def __init__(self, machine: "Machine", process: asyncio.subprocess.Process) -> None:
        self.machine = machine
        self.process = process
        self.said: list[str] = []
        self.url = ""
        self.late = False  # it did not stop by itself
        self.left: list[psutil.Process] = []  # that outlived the main process
        self._spoke = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def log(self) -> str:
        return "\n".join(self.said)

    def broke(self) -> list[str]:
        """What the log shows of errors that nobody caught.

        The lender's package listens on a port of its own, which several Spaces here want.
        """
        texts: list[str] = []
        for number in (at for at, line in enumerate(self.said) if "Traceback" in line):
            text = "\n".join(self.said[max(0, number - 2) : number + 25])
            if texts and text.startswith("During handling"):  # of the error before
                texts[-1] += text
            else:
                texts.append(text)
        return [text for text in texts if RELOADER not in text]

    async def ready(self, how: re.Pattern[str] = READY) -> None:
        found = how.search(await self.says(how))
        assert found is not None
        self.url = found[1].replace("localhost", "127.0.0.1").replace("0.0.0.0", "127.0.0.1")

    async def says(self, what: re.Pattern[str] | str) -> str:
        """Wait for a line of the log.

        Raises:
            Ended: the program ended before, or did not say it in time; with what it said.
        """
        try:
            async with asyncio.timeout(START_S):
                while (found := next(filter(re.compile(what).search, self.said), None)) is None:
                    if self._listening.done():
                        raise Ended("\n".join(self.said[-60:]))
                    self._spoke.clear()
                    spoke = asyncio.create_task(self._spoke.wait())
                    await asyncio.wait({spoke, self._listening}, return_when="FIRST_COMPLETED")
                    spoke.cancel()
        except TimeoutError:
            raise Ended("\n".join(["too late", *self.said[-60:]])) from None
        return found

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the main process; what it has left behind after 10 s is noted, and ended."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 30)
        if self.process.returncode is None:
            self.late = True
            self.process.kill()
            await self.process.wait()
        _, self.left = await asyncio.to_thread(psutil.wait_procs, self.machine.processes(), 10)
        for process in self.left:
            with suppress(psutil.Error):
                process.kill()
        await self._listening

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode(errors="replace").rstrip())
            self._spoke.set()

    def visitor(self, name: str, **headers: str) -> "Visitor":
        return Visitor(self, name, headers)


class Visitor:
    """Somebody with a browser or program, and the token that the platform's proxy gives them."""

    def __init__(self, space: Running, name: str, headers: dict[str, str]) -> None:
        self.space = space
        self.name = name
        self.token = ""  # the same with every request; empty: a new one each
        sent = {
            "x-clapper-key": f"the secret of {name}, which is long",
            "x-forwarded-for": f"203.0.113.{sum(name.encode()) % 200 + 1}",
            "x-clapper": "1",
            **headers,
        }
        shown = {key: value for key, value in sent.items() if value}
        self.http = httpx.AsyncClient(base_url=space.url, headers=shown, timeout=60)

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def proxied(self) -> dict[str, str]:
        """What the platform's proxy adds to each request."""
        return {"x-ip-token": self.token or self.space.machine.lender.token(self.name)}

    async def upload(self, path: Path) -> dict[str, object]:
        content = await asyncio.to_thread(path.read_bytes)
        sent = await self.http.post("/gradio_api/upload", files={"files": (path.name, content)})
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    async def ask(self, mode: str = "t2v", *media: object, seconds: float = 1.0) -> str:
        """Ask for the smallest clip through the page's API; return its job."""
        options = ["fast", None, seconds, None, "none", 256, 256, None, "", None]
        if mode == "lipsync":
            options[2] = None  # as long as the sound
            options.append(None)
        data = {"data": [*media, "a boat leaves", *options]}
        address = f"/gradio_api/call/{mode}"
        sent = await self.http.post(address, json=data, headers=self.proxied)
        event = sent.json()["event_id"]
        said = (await self.http.get(f"{address}/{event}", headers=self.proxied)).text
        assert "event: complete" in said, said
        return said.partition('"job":')[2].strip(' "')[:32]

    async def state(self, job: str = "") -> dict[str, object]:
        answer = await self.http.get(f"/studio/state?job={job}", headers=self.proxied)
        return answer.json()

    async def over(self, job: str, within_s: float = 300.0) -> dict[str, object]:
        """Wait until ``job`` has ended, as the page does: by asking."""
        async with asyncio.timeout(within_s):
            while True:
                found = (await self.state(job))["job"]
                assert isinstance(found, dict)
                if not found["live"]:
                    return found
                await asyncio.sleep(0.1)

    async def made(self, job: str) -> bytes:
        """Wait for the clip of ``job`` and return its file."""
        found = await self.over(job)
        told = found["error"], self.space.said[-40:], self.space.machine.lender.leases
        assert found["state"] == "succeeded", "\n".join(map(str, told))
        return await self.clip(job)

    async def clip(self, job: str) -> bytes:
        answer = await self.http.get(f"/clips/{job}.mp4")
        assert answer.status_code == 200, answer.text
        return answer.content
