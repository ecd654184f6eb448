"""Colours are found from latents and the frames that were decoded from them."""

import numpy as np
import pytest

from core.comfy.previews.colour_fit import ColourSums, block_colours

CHANNELS = 16


def clips(count: int, noise: float = 0.02) -> tuple[np.ndarray, list[tuple[np.ndarray, ...]]]:
    """A decoder that is linear but for ``noise``, and clips of it with a look of their own."""
    dice = np.random.default_rng(7)
    factors = dice.standard_normal((CHANNELS, 3)) / 12
    made = []
    for _ in range(count):
        latents = dice.standard_normal((400, CHANNELS)) * dice.uniform(0.2, 1.5, CHANNELS)
        latents += dice.standard_normal(CHANNELS) * 0.3
        colours = 0.5 + latents @ factors + dice.normal(0, noise, (400, 3))
        made.append((latents.astype(np.float32), colours.clip(0, 1)))
    return factors, made


def test_what_is_linear_is_found_and_holds_for_other_clips() -> None:
    _, [*learnt, (latents, colours)] = clips(4)
    sums = ColourSums.none(CHANNELS)
    for one in learnt:
        sums = sums.plus(*one)

    found = sums.solve()

    assert found is not None
    assert (sums.clips, found.channels) == (3, CHANNELS)
    seen = found.pictures(latents) / 255
    assert np.abs(seen - colours).mean() < 0.03


def test_one_scene_gives_a_map_and_others_show_it_what_that_one_did_not_have() -> None:
    factors, [(latents, _), *others, (asked, colours)] = clips(12)
    dull = latents.copy()
    dull[:, CHANNELS // 2 :] = 0.0
    one = ColourSums.none(CHANNELS).plus(dull, 0.5 + dull @ factors)
    many = one
    for other in others:
        many = many.plus(*other)

    def error(sums: ColourSums) -> float:
        found = sums.solve()
        assert found is not None
        return float(np.abs(found.pictures(asked) / 255 - colours).mean())

    assert error(many) < 0.05 < error(one) < 0.25


def test_colours_that_have_nothing_to_do_with_latents_give_no_map() -> None:
    dice = np.random.default_rng(1)
    latents = dice.standard_normal((5000, CHANNELS)).astype(np.float32)

    assert ColourSums.none(CHANNELS).plus(latents, dice.uniform(0, 1, (5000, 3))).solve() is None


def test_too_few_samples_give_no_map_however_well_they_fit() -> None:
    _, [(latents, colours)] = clips(1, noise=0)

    assert ColourSums.none(CHANNELS).plus(latents[:40], colours[:40]).solve() is None


def test_a_clip_of_one_colour_gives_no_map_and_no_error() -> None:
    latents = np.zeros((400, CHANNELS), np.float32)

    assert ColourSums.none(CHANNELS).plus(latents, np.full((400, 3), 0.5)).solve() is None


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_broken_clip_is_not_learnt_from(wrong: float) -> None:
    _, [(latents, colours)] = clips(1)
    sums = ColourSums.none(CHANNELS).plus(latents, colours)
    latents[3, 2] = wrong

    assert sums.plus(latents, colours) is sums


def test_blocks_are_those_that_a_latent_stands_for() -> None:
    """The first latent stands for one frame, each other for eight; here blocks of 4 px."""
    frames = np.zeros((17, 8, 12, 3), np.uint8)
    frames[0] = 255
    frames[1:9, :4, :4, 0] = 51
    frames[9:17, 4:, 8:, 1] = 102
    frames[9:13, 4:, 8:, 2] = 204

    found = block_colours(frames, (0, 1, 2), (8, 4))

    assert found.shape == (3, 2, 3, 3)
    assert (found[0] == 1).all()
    assert found[1, 0, 0] == pytest.approx([0.2, 0, 0])
    assert found[2, 1, 2] == pytest.approx([0, 0.4, 0.4])
    assert found[1:].sum() == pytest.approx(0.2 + 0.8)
