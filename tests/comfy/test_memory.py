"""Memory that runs out, and cancels around it: one more try with less, then advice, no trap."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from core.domain.modes import Mode
from core.errors import Cancelled, OutOfMemory
from core.i18n.messages import explain
from core.runtime.cancellation import CancelToken

if TYPE_CHECKING:
    from tests.comfy.conftest import Kept, Lab

pytestmark = [
    pytest.mark.comfy_real,
    # torch and ComfyUI warn of themselves, when the lab is started
    pytest.mark.filterwarnings("ignore"),
]
SAMPLER = "SamplerCustomAdvanced"
Node = Callable[..., Any]


def sampler_of(lab: "Lab") -> Any:
    engine = lab.executor.engine
    assert engine is not None
    return engine.node_classes()[SAMPLER]


def running_out(original: Node, times: int, meanwhile: Callable[[], None]) -> Node:
    """Return ``original`` that first fails ``times`` times as a full device does."""
    import torch

    left = iter(range(times))

    def execute(cls: type, *arguments: object, **options: object) -> Any:
        meanwhile()
        if next(left, None) is not None:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(cls, *arguments, **options)

    return execute


def spoil(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch, times: int, meanwhile: Callable[[], None]
) -> None:
    kind = sampler_of(lab)
    fake = running_out(kind.execute.__func__, times, meanwhile)
    monkeypatch.setattr(kind, "execute", classmethod(fake))


async def test_the_second_try_begins_without_a_model_or_an_output_of_the_first(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.run(lab.request(Mode.T2V, seed=31))
    engine = lab.executor.engine
    assert engine is not None
    seen: list[int] = []
    freed = type(engine).free

    def free(self: Any) -> None:
        freed(self)
        seen.append(self.loaded_models())

    monkeypatch.setattr(type(engine), "free", free)
    spoil(lab, monkeypatch, 1, lambda: None)

    clip = await lab.run(lab.request(Mode.T2V, seed=32))

    assert seen == [0]
    assert lab.report.cached == frozenset()
    assert lab.report.tile > 0
    assert clip.frames.shape[0] == 17


async def test_where_everything_was_kept_on_the_device_it_may_leave_from_then_on(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch, kept: "Kept"
) -> None:
    states = kept.management.VRAMState
    await lab.run(lab.request(Mode.T2V, seed=38))
    assert kept.management.vram_state is states.HIGH_VRAM
    spoil(lab, monkeypatch, 1, lambda: None)

    clip = await lab.run(lab.request(Mode.T2V, seed=39))

    assert clip.frames.std() > 1
    assert kept.management.vram_state is states.NORMAL_VRAM
    assert not kept.management.args.gpu_only
    assert "checkpoint" not in lab.report.cached, "loaded anew, where it may leave"


async def test_after_memory_ran_out_the_upscaler_leaves_after_every_use(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch, kept: "Kept"
) -> None:
    await lab.run(lab.request(Mode.T2V, seed=50))
    assert not kept.left
    with monkeypatch.context() as spoiled:
        spoil(lab, spoiled, 1, lambda: None)
        await lab.run(lab.request(Mode.T2V, seed=51))
    assert len(kept.left) == 1, "already in the second try"

    await lab.run(lab.request(Mode.T2V, seed=52))

    assert len(kept.left) == 2


async def test_after_it_ran_out_twice_the_next_order_is_made(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as spoiled:
        spoil(lab, spoiled, 2, lambda: None)
        with pytest.raises(OutOfMemory) as caught:
            await lab.run(lab.request(Mode.T2V, seed=33))

    assert "smaller size or a shorter clip" in explain(caught.value)
    clip = await lab.run(lab.request(Mode.T2V, seed=33))
    assert clip.frames.shape[0] == 17
    assert lab.report.tile == 0


async def test_a_cancel_while_memory_runs_out_is_a_cancel_and_no_second_try(
    lab: "Lab", monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel, tries = CancelToken(), list[int]()

    def meanwhile() -> None:
        tries.append(1)
        cancel.cancel()

    spoil(lab, monkeypatch, 1, meanwhile)

    with pytest.raises(Cancelled):
        await lab.run(lab.request(Mode.T2V, seed=34), cancel=cancel)
    assert len(tries) == 1


async def test_a_cancel_after_the_end_reaches_neither_this_order_nor_the_next(lab: "Lab") -> None:
    cancel = CancelToken()
    first = await lab.run(lab.request(Mode.T2V, seed=35), cancel=cancel)
    cancel.cancel()

    second = await lab.run(lab.request(Mode.T2V, seed=36))

    assert first.frames.shape == second.frames.shape


async def test_an_order_cancelled_before_its_start_leaves_the_next_one_alone(lab: "Lab") -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        await lab.run(lab.request(Mode.T2V, seed=37), cancel=cancel)

    assert (await lab.run(lab.request(Mode.T2V, seed=37))).frames.shape[0] == 17
