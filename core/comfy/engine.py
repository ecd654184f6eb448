"""A started ComfyUI behind typed methods: the only place that touches its untyped modules."""

import asyncio
import gc
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.comfy.acceleration.sound_beside import pictures_first
from core.comfy.latents import Latents
from core.comfy.memory import Graph, allow_offloading
from core.comfy.output_node import NodeOutput
from core.comfy.previews.sampler_tap import SamplerListener
from core.comfy.prompt_server import EventSink
from core.comfy.startup import ComfyModules
from core.runtime.device_errors import causes_of, is_device_lost

# Keep the outputs of the last prompt only: loaders and text are found again by the next one, and
# frames of older ones are not kept (ComfyUI's own default keeps them while memory lasts).
# 0.27 reads all three numbers whatever the kind is.
_CACHE_ARGS = {"lru": 0, "ram": 2.0, "ram_inactive": 4.0}


@dataclass(frozen=True, slots=True)
class NodeError:
    """Why a node cannot run, or did not."""

    node: str
    node_class: str
    kind: str  # of validation, e.g. "value_not_in_list", or the name of an exception class
    detail: str  # for the log only
    traceback: str = ""
    device_lost: bool = False  # as is_device_lost says of the exception and what caused it
    memory_short: bool = False  # likewise, by torch's and Python's classes


@dataclass(frozen=True, slots=True)
class PromptResult:
    """How one prompt ended. Neither ``succeeded`` nor ``error``: it was interrupted."""

    succeeded: bool
    cached: frozenset[str]  # nodes whose outputs were still there
    error: NodeError | None


class Engine:
    """One ComfyUI for the whole process. Everything but :meth:`interrupt` on one thread."""

    def __init__(self, modules: ComfyModules) -> None:
        self._comfy = modules
        self._executor: Any = modules.execution.PromptExecutor(
            modules.server,
            cache_type=modules.execution.CacheType.CLASSIC,
            cache_args=_CACHE_ARGS,
        )
        self._raised = _Raised(self._executor, modules.model_management)
        self.last_error: NodeError | None = None  # of the last graph that was checked or run

    @property
    def dynamic_vram(self) -> bool:
        """Tell whether models share the device by DynamicVRAM."""
        return self._comfy.dynamic_vram

    def lacking(self, kinds: Iterable[str]) -> list[str]:
        """Return those of the node classes ``kinds`` that this ComfyUI does not have."""
        return [kind for kind in kinds if kind not in self._comfy.nodes.NODE_CLASS_MAPPINGS]

    def validate(self, prompt_id: str, graph: Graph) -> list[NodeError]:
        """Let ComfyUI check ``graph`` and collect its errors; it casts values in place."""
        check = self._comfy.execution.validate_prompt(prompt_id, graph, None)
        sound, error, _, node_errors = asyncio.run(check)
        found = [
            NodeError(node, entry["class_type"], reason["type"], str(reason["details"]))
            for node, entry in node_errors.items()
            for reason in entry["errors"]
        ]
        if not sound and not found:
            extra = error.get("extra_info", {})
            node, kind = str(extra.get("node_id", "")), str(extra.get("class_type", ""))
            found.append(NodeError(node, kind, error["type"], error["message"]))
        self.last_error = found[0] if found else None
        return found

    def run(
        self, prompt_id: str, graph: Graph, outputs: list[str], listener: EventSink
    ) -> PromptResult:
        """Execute ``graph``; a failing node is an answer here, not an exception.

        Args:
            prompt_id: new for every run.
            graph: validated.
            outputs: the nodes to run, with all that they need.
            listener: gets every event, on this thread.
        """
        server = self._comfy.server
        server.listener, server.last_prompt_id = listener, prompt_id
        if self._comfy.acceleration.enabled:
            graph = pictures_first(graph, outputs)
        try:
            # Without a client id ComfyUI sends hardly any events, and none at the start.
            self._executor.execute(graph, prompt_id, {"client_id": prompt_id}, outputs)
        finally:
            server.listener = None
        ended = _ended(prompt_id, self._executor.status_messages, self._raised)
        self.last_error = ended.error
        return ended

    def interrupt(self) -> None:
        """Stop the running prompt at its next operation. Any thread; lost if none is running."""
        self._comfy.nodes.interrupt_processing(value=True)

    def expect(self, job: str, workspace: Path) -> None:
        """Accept what the output node will put out for ``job``."""
        self._comfy.exchange.expect(job, workspace)

    def offer(self, name: str, latents: Latents) -> None:
        """Let the graph of the next run begin with ``latents`` under ``name``."""
        self._comfy.exchange.offer(name, latents)

    def forbid(self, words: tuple[str, ...]) -> None:
        """Let no prompt of the next run get one of ``words`` from the enhancer."""
        self._comfy.exchange.prompts.forbidden = words

    def enhanced(self, key: str, typed: str) -> str | None:
        """Return the prompt that was used under ``key``; None where none was made."""
        return self._comfy.exchange.prompts.used(key, typed)

    def watch(self, listener: SamplerListener | None) -> None:
        """Let ``listener`` look at what samplers have from now on, or nobody."""
        self._comfy.tap.listener = listener

    def take(self, job: str) -> NodeOutput | None:
        """Take what the output node put out for ``job``; None where it did not run."""
        return self._comfy.exchange.take(job)

    def free(self) -> None:
        """Unload every model and cached output; only where memory ran out, or at the end."""
        self._comfy.graphs.forget()
        self._comfy.model_management.unload_all_models()
        self._executor.reset()
        gc.collect()
        self._comfy.model_management.soft_empty_cache()

    def allow_offloading(self) -> bool:
        """Let weights and pictures leave the device between nodes from now on.

        Belongs before :meth:`free`: what is loaded already keeps its place.

        Returns:
            Whether they were kept there until now.
        """
        return allow_offloading(self._comfy.model_management)

    def accelerate(self, *, enabled: bool, fast: bool = False) -> None:
        """Compute in the faster ways of :mod:`core.comfy.acceleration` from now on, or in none.

        Args:
            enabled: those that change no value, or hardly any.
            fast: those that change values as well.
        """
        self._comfy.acceleration.enabled = enabled
        self._comfy.acceleration.fast = fast

    def take_forwards(self) -> dict[str, int]:
        """Return how often passes of the transformer were launched in each way, and begin anew."""
        return self._comfy.acceleration.take_forwards()

    def node_classes(self) -> dict[str, type]:
        """Return ComfyUI's own table of node classes by name."""
        return self._comfy.nodes.NODE_CLASS_MAPPINGS

    def loaded_models(self) -> int:
        """Return how many models are on the device."""
        return len(self._comfy.model_management.current_loaded_models)

    def peak_bytes(self, *, reset: bool) -> int:
        """Return the most device memory that torch held; 0 without CUDA.

        Args:
            reset: begin a new measurement.
        """
        cuda = self._comfy.torch.cuda
        if not cuda.is_available():
            return 0
        peak = int(cuda.max_memory_allocated())
        if reset:
            cuda.reset_peak_memory_stats()
        return peak


class _Raised:
    """What the exception of a node was caused by: the messages tell its own class and text alone.

    The exception itself is not kept: its frames hold what lies on the device.
    """

    def __init__(self, executor: Any, model_management: Any) -> None:  # noqa: ANN401  # untyped
        self.device_lost = self.memory_short = False
        self._told = executor.handle_execution_error
        self._is_memory = model_management.is_oom
        executor.handle_execution_error = self._handle

    def _handle(self, *told: Any) -> None:  # noqa: ANN401  # ComfyUI's; the exception is the last
        causes = list(causes_of(told[-1]))
        self.device_lost = any(is_device_lost(one) for one in causes)
        self.memory_short = any(
            isinstance(one, MemoryError) or self._is_memory(one) for one in causes
        )
        self._told(*told)


def quiet(checkout: Path) -> None:
    """Keep ComfyUI's own log records out of ours, unless debugging: they can hold prompts.

    Args:
        checkout: records from files below it are dropped.
    """
    prefix = str(checkout)

    def wanted(record: logging.LogRecord) -> bool:
        root_debug = logging.getLogger().isEnabledFor(logging.DEBUG)
        return root_debug or not record.pathname.startswith(prefix)

    logging.getLogger().addFilter(wanted)  # ComfyUI logs straight into the root logger


def _ended(
    prompt_id: str, messages: list[tuple[str, Mapping[str, Any]]], raised: _Raised
) -> PromptResult:
    """Return what the messages of one run say; only ``execution_success`` proves success."""
    succeeded, cached, error = False, frozenset[str](), None
    for event, data in messages:
        if data.get("prompt_id") != prompt_id:
            continue
        if event == "execution_success":
            succeeded = True
        elif event == "execution_cached":
            cached = frozenset(data["nodes"])
        elif event == "execution_error":
            error = NodeError(
                node=str(data["node_id"]),
                node_class=str(data["node_type"]),
                kind=str(data["exception_type"]),
                detail=str(data["exception_message"]),
                traceback="".join(data["traceback"]),
                device_lost=raised.device_lost,
                memory_short=raised.memory_short,
            )
    return PromptResult(succeeded and error is None, cached, error)
