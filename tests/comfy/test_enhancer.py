"""The prompt enhancer in a real ComfyUI: its text is used, cached, judged and told."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.domain.modes import Mode
from core.domain.presets import Enhance
from core.domain.prompt_preview import JobPreview, PromptPreview
from core.domain.requests import Request
from core.workflow.prompt_phrases import typed_text

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]
GOOD = "A boat slowly leaves the harbour as gulls cry and small waves lap at the stone quay."


@pytest.fixture(autouse=True)
def short_texts(lab: "Lab") -> Iterator[None]:
    before = lab.executor.plan
    lab.executor.plan = replace(before, family=replace(lab.family, enhanced_tokens=4))
    yield
    lab.executor.plan = before


@pytest.fixture
def written(lab: "Lab", monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every call of the generator; its text is :data:`GOOD`, as weights at random write none."""
    assert lab.executor.engine is not None
    kind: Any = lab.executor.engine.node_classes()["TextGenerateLTX2Prompt"]
    calls: list[Any] = []
    run = kind.execute.__func__

    def execute(cls: Any, clip: Any, prompt: str, *given: Any, **named: Any) -> Any:
        calls.append((prompt, named.get("image")))
        made = run(cls, clip, prompt, *given, **named)
        return type(made)(GOOD)

    monkeypatch.setattr(kind, "execute", classmethod(execute))
    return calls


def asking(request: Request) -> Request:
    return replace(request, sampling=replace(request.sampling, enhance=Enhance.ON))


@pytest.mark.parametrize("mode", Mode)
async def test_random_weights_write_rubbish_so_the_prompt_is_used_as_typed_and_that_is_told(
    lab: "Lab", mode: Mode
) -> None:
    request = lab.request(mode, f"a boat in {mode}", seed=90)

    plain = await lab.run(request)
    asked = await lab.run(asking(request))

    assert plain.prompt_used == ""
    assert asked.prompt_used == request.prompt
    assert np.array_equal(plain.frames, asked.frames)


@pytest.mark.parametrize("mode", [Mode.T2V, Mode.I2V])
async def test_a_good_text_is_used_told_and_written_once(
    lab: "Lab", mode: Mode, written: list[Any]
) -> None:
    request = lab.request(mode, f"boat harbour {mode}", seed=91)
    plain = await lab.run(request)

    first = await lab.run(asking(request))
    other = lab.request(mode, "something else", seed=91)
    await lab.run(other)  # ComfyUI forgets the nodes of the run before
    again = await lab.run(asking(replace(request, sampling=replace(request.sampling, seed=92))))

    ((prompt, image),) = written
    assert prompt == typed_text(request.prompt, mode)
    assert (image is not None) is (mode is Mode.I2V)
    assert first.prompt_used == again.prompt_used == f"{request.prompt}. {GOOD}"
    assert not np.array_equal(first.frames, plain.frames)
    assert not np.array_equal(first.frames, again.frames), "another seed"


async def test_words_are_shown_while_the_clip_is_made_also_where_they_were_written_before(
    lab: "Lab", written: list[Any]
) -> None:
    request = lab.request(Mode.T2V, "harbour and gulls", seed=96)
    shown: list[JobPreview] = []
    lab.executor.show_previews(lambda _, preview: shown.append(preview))
    try:
        made = await lab.run(asking(request))
        again = await lab.run(asking(replace(request, sampling=replace(request.sampling, seed=97))))
        await lab.run(asking(request), forbidden=("stone quay",))  # as typed: nothing to show
        await lab.run(request)
    finally:
        lab.executor._workshop.sink = None

    words = [one for one in shown if isinstance(one, PromptPreview)]
    assert words == [PromptPreview(clip.prompt_used) for clip in (made, again)]
    assert GOOD in words[0].words
    assert len(written) == 1


async def test_words_that_are_forbidden_now_are_neither_rendered_nor_told(
    lab: "Lab", written: list[Any]
) -> None:
    request = lab.request(Mode.T2V, "harbour at noon", seed=94)
    plain = await lab.run(request)

    made = await lab.run(asking(request))
    ruled = await lab.run(asking(request), forbidden=("stone quay", "harbour"))
    other = await lab.run(asking(request), forbidden=("volcano",))

    assert "stone quay" in made.prompt_used
    assert ruled.prompt_used == request.prompt
    assert np.array_equal(ruled.frames, plain.frames)
    assert not np.array_equal(made.frames, plain.frames)
    assert other.prompt_used == made.prompt_used
    assert np.array_equal(other.frames, made.frames)
    assert len(written) == 1


async def test_it_is_the_clip_of_the_text_that_it_is_told_to_be(
    lab: "Lab", written: list[Any]
) -> None:
    request = lab.request(Mode.T2V, "harbour, boat", seed=93)

    made = await lab.run(asking(request))
    typed = await lab.run(replace(request, prompt=made.prompt_used))

    assert np.array_equal(made.frames, typed.frames)
    assert typed.prompt_used == ""
    assert len(written) == 1
