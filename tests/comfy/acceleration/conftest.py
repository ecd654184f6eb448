"""The network whose blocks are recorded, while the service records nothing of its own."""

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from core.comfy.acceleration.recording import CudaRecorder
from tests.comfy.acceleration.networks import (
    DEVICES,
    Network,
    RedoingRecorder,
    require_device,
)

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab


@pytest.fixture
def unaccelerated(lab: "Lab") -> Iterator[None]:
    """The service's own graphs stay away: on a CUDA device they would be recorded inside ours."""
    engine = lab.executor.engine
    assert engine is not None
    engine.accelerate(enabled=False)
    yield
    engine.accelerate(enabled=True)


@pytest.fixture(params=DEVICES)
def network(
    unaccelerated: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Network:
    torch = importlib.import_module("torch")
    require_device(request.param)
    recorder = CudaRecorder(torch) if request.param == "cuda" else RedoingRecorder()
    made = Network(request.param, recorder)
    owner = type(made.model)
    monkeypatch.setattr(
        owner, "_process_transformer_blocks", owner.__dict__["_process_transformer_blocks"]
    )
    made.plain = owner._process_transformer_blocks  # the seam
    made.graphs.install(owner)
    return made
