"""How much two workers with a CUDA device each make, against one of them: real ComfyUI, one front.

    PYTHONPATH=. python bench/two_gpus.py --checkout ~/ComfyUI --models /dev/shm/models
    PYTHONPATH=. python bench/two_gpus.py --checkout ~/ComfyUI --dry-run    # tiny, on a processor

Method: a PostgreSQL of its own (apt's or the wheel's), a front without a worker in this process,
and two processes of ``clapper worker``, each with one device (CUDA_VISIBLE_DEVICES). The line is
long enough for both all the time. Both make a few clips first, as the first ones load models and
choose kernels; then both are measured; then one of them ends as by an operator, and the other is
measured alone. A rate is (clips - 1) / (last - first) by the moments at which rows were settled,
of each worker by itself, and their sum. Weights are random (see comfy_gpu.py), of ``--layers``
transformer layers and a small text encoder; the other parts have their full size.
"""

import argparse
import asyncio
import copy
import importlib
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comfy_gpu import PROMPTS, ROOT, AllThere  # after the path is set

from core.app import bootstrap, work  # comfy_gpu sets the path
from core.app.bootstrap import open_core  # the same
from core.app.core import Core  # the same
from core.app.logs import set_up_logging  # the same
from core.app.process import run_main  # the same
from core.app.supervisor import tell_terminal  # the same
from core.comfy.testing.network_shapes import FULL, TINY  # the same
from core.comfy.testing.random_weights import RandomWeightsWriter  # the same
from core.comfy.testing.small_text_encoder import shrink_text_encoder  # the same
from core.domain.jobs import ReplyTo  # the same
from core.domain.modes import Mode  # the same
from core.domain.nodes import NodeRole  # the same
from core.domain.people import Requester  # the same
from core.domain.presets import Preset  # the same
from core.domain.requests import Request, Sampling  # the same
from core.models.catalog import Profile  # the same
from core.settings import Settings, load_settings  # the same
from core.testing.doubles import QuickExecutor, RecordingDelivery  # the same
from core.testing.jobs import submit_request  # the same

sys.path.insert(0, str(ROOT / "tests"))  # a package of this name may be installed

from support.postgres import PostgresServer, serve  # the same

SETTINGS = {
    "EXECUTOR": "comfy",
    "ARTEFACTS_SHARED": "true",
    "QUOTA_MINUTES": "1000000",
    "MAX_QUEUED": "100000",
    "MIN_FREE_MEGABYTES": "0",
    "MODEL_PROFILE": "bf16",
    "ALERTS": "false",
    "SUPERVISE": "false",
    "NOTICE_S": "60",
}
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--models", type=Path, help="folder for the random weights; kept")
    parser.add_argument("--layers", type=int, default=16, help="of the transformer; 48 in full")
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--frames", type=int, default=121)
    parser.add_argument("--warm", type=int, default=3, help="clips of each before it counts")
    parser.add_argument("--clips", type=int, default=10, help="of each that count")
    parser.add_argument("--limit", type=float, default=240, help="seconds, of all of it")
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes, 128×128, 17 frames")
    parser.add_argument("--node", help=argparse.SUPPRESS)  # what this program starts
    return parser


def main() -> None:
    asked = options().parse_args()
    if asked.dry_run:
        asked.width, asked.height, asked.frames = 128, 128, 17
    if asked.node:
        run_worker(asked)
        return
    with tempfile.TemporaryDirectory() as name, serve(**DURABLE) as server:
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"machine   {os.cpu_count()} cores, load {load}, Python {platform.python_version()}")
        print(
            f"method    {asked.width}×{asked.height}, {asked.frames} frames, {asked.layers} layers"
        )
        asyncio.run(_within(asked, server, Path(name)))


async def _within(asked: argparse.Namespace, server: PostgresServer, folder: Path) -> None:
    async with asyncio.timeout(asked.limit):
        await measure(asked, server, folder)


# the worker's side ---------------------------------------------------------------------------


def run_worker(asked: argparse.Namespace) -> None:
    """Run ``clapper worker`` with an executor that has random weights."""

    def chosen(settings: Settings, announce: object) -> object:
        del settings, announce
        return executor_with(asked)

    bootstrap.choose_executor = chosen  # pyright: ignore[reportAttributeAccessIssue]  # for this
    set_up_logging("info")
    run_main(work.work(load_settings(), tell_terminal), tell_terminal, None)


def executor_with(asked: argparse.Namespace):
    from core.comfy.device import DeviceKind, device_kind
    from core.comfy.executor import ComfyExecutor, ComfyOptions
    from core.comfy.job_run import ExecutionPlan
    from core.comfy.paths import ComfyPaths

    work_folder = asked.models.parent / f"comfy-{asked.node}"
    place = ComfyPaths(
        asked.checkout.absolute(), work_folder / "packs", work_folder / "base", asked.models
    )
    cuda = device_kind() is DeviceKind.CUDA
    vram = "high" if cuda else "auto"
    plan = ExecutionPlan(Profile.BF16)
    made = ComfyExecutor(place, AllThere(), plan, ComfyOptions(device_kind(), vram))
    warm_up = made.warm_up

    async def with_models() -> None:
        await warm_up()
        family = await asyncio.to_thread(models, asked, cuda)
        specs = {key: replace(spec, guided=False) for key, spec in family.profiles.items()}
        made.plan = replace(made.plan, family=replace(family, profiles=specs))

    made.warm_up = with_models  # pyright: ignore[reportAttributeAccessIssue]  # for this run
    return made


def models(asked: argparse.Namespace, cuda: bool):  # noqa: FBT001  # as told
    """Write the weights, or find those that the worker before wrote."""
    torch = importlib.import_module("torch")
    if asked.dry_run:
        torch.set_num_threads(1)
        shrink_text_encoder()
        return RandomWeightsWriter(torch, TINY, profiles=(Profile.BF16,)).family(asked.models)
    config = copy.deepcopy(FULL.config)
    config["transformer"]["num_layers"] = asked.layers
    # the text encoder is a small one: it runs once a clip
    shapes = replace(FULL, config=config, text_width=TINY.text_width, gemma=TINY.gemma)
    shrink_text_encoder(shapes)
    device = "cuda" if cuda else "cpu"
    writer = RandomWeightsWriter(torch, shapes, "BF16", device, (Profile.BF16,))
    family = writer.family(asked.models)
    if cuda:
        torch.cuda.empty_cache()
    return family


# the front's side ----------------------------------------------------------------------------


@dataclass
class Worker:
    """A process with one device."""

    number: int
    process: "subprocess.Popen[bytes]"
    log: Path


def start(asked: argparse.Namespace, number: int, folder: Path, settings: dict[str, str]) -> Worker:
    """Start ``clapper worker`` number ``number`` on the device of that number."""
    log = folder / f"worker-{number}.log"
    own = settings | {"NODE": f"worker-{number}", "DATA_DIR": str(folder / "data")}
    environment = {name: value for name, value in os.environ.items() if "CLAPPER" not in name}
    environment |= {f"CLAPPER_{name}": value for name, value in own.items()}
    environment |= {"CUDA_VISIBLE_DEVICES": str(number), "CLAPPER_ENV_FILE": os.devnull}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    )
    given = ["--checkout", asked.checkout, "--models", asked.models, "--layers", asked.layers]
    command = [sys.executable, __file__, "--node", str(number), *map(str, given)]
    if asked.dry_run:
        command.append("--dry-run")
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    return Worker(number, process, log)


class Line:
    """Keeps a line of jobs before the workers, and reads when each was settled."""

    def __init__(self, asked: argparse.Namespace, core: Core, server: PostgresServer) -> None:
        self._asked = asked
        self._core = core
        self._server = server
        self._submitted = 0

    async def submit(self, count: int) -> None:
        """Submit so many jobs, each with words and a seed of its own."""
        asked = self._asked
        for number in range(self._submitted, self._submitted + count):
            sampling = Sampling(Preset.FAST, asked.width, asked.height, asked.frames, 24, number)
            words = f"{PROMPTS[number % 2]} Take {number}."
            request = Request(mode=Mode.T2V, prompt=words, sampling=sampling)
            who = Requester("bench", str(number % 4))
            await submit_request(self._core, request, who, ReplyTo("test"), f"job-{number}")
        self._submitted += count

    def ends(self) -> dict[str, list[float]]:
        """Return the moments at which clips were settled, by node, in seconds.

        Raises:
            RuntimeError: a job failed.
        """
        with self._server.connect() as rows:
            found = rows.execute(
                "SELECT node_id, finished_at_ms, state, failure_code FROM job"
                " WHERE finished_at_ms IS NOT NULL ORDER BY finished_at_ms"
            ).fetchall()
        ends: dict[str, list[float]] = defaultdict(list)
        for node, at_ms, state, failure in found:
            if state != "succeeded":
                raise RuntimeError(str(failure))
            ends[str(node)].append(at_ms / 1000)
        return ends

    async def until(self, each: int, workers: int, workers_alive: list[Worker]) -> None:
        """Wait until ``workers`` nodes settled ``each`` clips more than they have now.

        Raises:
            RuntimeError: a worker ended by itself.
        """
        before = {node: len(ends) for node, ends in self.ends().items()}
        while True:
            ends = self.ends()
            done = [n for n, some in ends.items() if len(some) - before.get(n, 0) >= each]
            if len(done) >= workers:
                return
            if any(one.process.poll() is not None for one in workers_alive):
                raise RuntimeError("a worker ended")
            await asyncio.sleep(0.2)


def rate(ends: dict[str, list[float]], since: float, until: float) -> list[tuple[int, float]]:
    """Return how many clips of each node lie between two moments, and how many a second."""
    found: list[tuple[int, float]] = []
    for moments in ends.values():
        inside = [at for at in moments if since <= at <= until]
        if len(inside) > 1:
            found.append((len(inside), (len(inside) - 1) / (inside[-1] - inside[0])))
    return found


async def measure(asked: argparse.Namespace, server: PostgresServer, folder: Path) -> None:
    asked.models = (asked.models or folder / "models").absolute()
    asked.models.mkdir(parents=True, exist_ok=True)
    settings = SETTINGS | {"DATABASE_URL": server.url()}
    own = {name.lower(): value for name, value in settings.items() if name != "EXECUTOR"}
    front = load_settings(**own, executor="draft", data_dir=folder / "data")
    workers: list[Worker] = []
    server.make_tables()
    try:
        await _both_then_one(asked, server, folder, settings, front, workers)
    except BaseException:
        for one in workers:
            print(f"== {one.log.name}\n{one.log.read_text(errors='replace')[-6000:]}")
        raise
    finally:
        for one in workers:
            with suppress(ProcessLookupError):
                one.process.kill()
            one.process.wait()


async def _both_then_one(
    asked: argparse.Namespace,
    server: PostgresServer,
    folder: Path,
    settings: dict[str, str],
    front_settings: Settings,
    workers: list[Worker],
) -> None:
    began = time.perf_counter()
    workers.append(start(asked, 0, folder, settings))
    await _until_ready(server, 1, workers)  # it writes the weights
    print(f"first worker ready in {time.perf_counter() - began:.0f} s", flush=True)
    workers.append(start(asked, 1, folder, settings))
    await _until_ready(server, 2, workers)
    print(f"second worker ready in {time.perf_counter() - began:.0f} s", flush=True)
    opened = open_core(front_settings, QuickExecutor(), role=NodeRole.FRONT, announce=print)
    async with opened as core:
        core.router.register(RecordingDelivery())
        stop = asyncio.Event()
        running = asyncio.create_task(core.run(stop))
        await asyncio.sleep(0)
        line = Line(asked, core, server)
        await line.submit(4 * (asked.warm + asked.clips) + 8)
        await line.until(asked.warm, 2, workers)
        print(f"both are warm after {time.perf_counter() - began:.0f} s", flush=True)
        both = await _measured(line, asked.clips, 2, workers)
        workers[1].process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(workers[1].process.wait)
        one = await _measured(line, asked.clips, 1, workers[:1])
        _print(both, one)
        stop.set()
        await running


async def _measured(
    line: Line, clips: int, count: int, workers: list[Worker]
) -> list[tuple[int, float]]:
    since = time.time()
    await line.until(clips, count, workers)
    return rate(line.ends(), since, time.time())


async def _until_ready(server: PostgresServer, count: int, workers: list[Worker]) -> None:
    """Wait until so many workers say that they are ready.

    Raises:
        RuntimeError: one ended.
    """
    while True:
        with server.connect() as rows:
            [found] = rows.execute(
                "SELECT count(*) FROM node WHERE role = 'worker' AND state = 'ready'"
            ).fetchone() or (0,)
        if found >= count:
            return
        if any(one.process.poll() is not None for one in workers):
            raise RuntimeError("a worker ended")
        await asyncio.sleep(0.2)


def _print(both: list[tuple[int, float]], one: list[tuple[int, float]]) -> None:
    print(f"\n{'':14}{'clips':>7}{'clips/s':>10}   of each")
    for name, rates in (("two workers", both), ("one worker", one)):
        each = ", ".join(f"{some:.4f}" for _, some in rates)
        total = sum(some for _, some in rates)
        print(f"{name:14}{sum(count for count, _ in rates):>7}{total:>10.4f}   {each}")
    times = sum(some for _, some in both) / sum(some for _, some in one)
    print(f"{'two of one':14}{'':>7}{times:>10.2f}   target ≥ 1.90", flush=True)


if __name__ == "__main__":
    main()
