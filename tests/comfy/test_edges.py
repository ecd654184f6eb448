"""Edges of bright, flat and noisy films: about as many lines, whatever the contrast."""

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.filterwarnings("ignore"),  # torch and ComfyUI warn of themselves
]


@pytest.fixture
def film(lab: "Lab") -> Any:
    """Four frames of a moving disc and a bar, values from 0 to 1."""
    torch = importlib.import_module("torch")
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    frames = [
        ((x - 40 - 4 * n) ** 2 + (y - 48) ** 2 < 400).float() * 0.9 + (x > 110).float() * 0.5
        for n in range(4)
    ]
    return torch.stack(frames).clamp(0, 1)[..., None].repeat(1, 1, 1, 3)


def lines_of(lab: "Lab", kind: str, image: Any, **inputs: float) -> float:
    assert lab.executor.engine is not None
    node: Any = lab.executor.engine.node_classes()[kind]
    made = node().draw(image, **inputs) if kind == "ClapperEdges" else node.execute(image, **inputs)
    assert made[0].shape == image.shape
    return float(made[0].mean())


@pytest.mark.parametrize("contrast", [1.0, 0.5, 0.2])
def test_a_film_of_little_contrast_has_the_lines_of_one_with_much(
    lab: "Lab", film: Any, contrast: float
) -> None:
    full = lines_of(lab, "ClapperEdges", film, share=0.06)
    faint = lines_of(lab, "ClapperEdges", film * contrast + 0.3, share=0.06)

    assert full > 0.01
    assert faint == pytest.approx(full, rel=0.3)
    if contrast == 0.2:  # fixed thresholds saw nothing there
        fixed = {"low_threshold": 0.36, "high_threshold": 0.78}
        assert lines_of(lab, "Canny", film * contrast + 0.3, **fixed) == 0


def test_noise_of_a_flat_picture_is_no_line(lab: "Lab", film: Any) -> None:
    torch = importlib.import_module("torch")
    noise = torch.randn(film.shape, generator=torch.Generator().manual_seed(1)) * 0.004

    assert lines_of(lab, "ClapperEdges", torch.full_like(film, 0.4) + noise, share=0.06) < 0.005


def test_a_smaller_share_draws_fewer_lines(lab: "Lab", film: Any) -> None:
    torch = importlib.import_module("torch")
    noise = torch.rand(film.shape, generator=torch.Generator().manual_seed(2)) * 0.3

    few = lines_of(lab, "ClapperEdges", (film + noise).clamp(0, 1), share=0.01)

    assert 0 < few < lines_of(lab, "ClapperEdges", (film + noise).clamp(0, 1), share=0.2)
