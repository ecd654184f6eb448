"""Adoption names the true cause where a graph is not whole, and lets all of a film be used."""

from typing import TYPE_CHECKING

import pytest

from core.domain.modes import Mode
from core.workflow.adopt import adopt
from core.workflow.errors import NotAdoptable
from tests.workflows.test_adopt_reach import graph_of, node, prompt_of

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export

T2V, STYLE = Mode.T2V, Mode.STYLE


def test_a_graph_of_which_a_part_is_missing_is_refused_by_its_places(export: "Export") -> None:
    nodes = export(T2V)
    del nodes["cond"]

    with pytest.raises(NotAdoptable, match=r"cond → guider1\.positive") as caught:
        adopt(graph_of(nodes), T2V)

    assert caught.value.reason == "links_lost"


def test_what_is_missing_behind_a_switch_that_is_off_is_no_obstacle(export: "Export") -> None:
    nodes = export(T2V)
    nodes["either"] = node(
        "ComfySwitchNode", switch=False, on_false=["217", 0], on_true=["gone", 0]
    )
    nodes["188"]["inputs"]["images"] = ["either", 0]

    assert "gone" not in adopt(graph_of(nodes), T2V).workflow.graph.nodes


def test_nodes_that_wait_for_each_other_are_refused_by_name(export: "Export") -> None:
    nodes = export(T2V)
    nodes["700"]["inputs"]["model"] = ["again", 0]
    nodes["again"] = node("SomebodysPatch", model=["700", 0])

    with pytest.raises(NotAdoptable, match="again SomebodysPatch") as caught:
        adopt(graph_of(nodes), T2V)

    assert caught.value.reason == "circle"


def test_a_frame_rate_that_nothing_in_it_takes_is_told(export: "Export") -> None:
    nodes = export(T2V)
    for one in nodes.values():
        for name in ("positive", "negative"):
            if one["inputs"].get(name) == ["cond", ("positive", "negative").index(name)]:
                one["inputs"][name] = [("5536", "5537")[name == "negative"], 0]
    nodes["silence"] = node("SomebodysSilence", seconds=5, audio_vae=["175", 0])

    with pytest.raises(NotAdoptable) as caught:
        adopt(graph_of(nodes), T2V)

    assert (caught.value.reason, caught.value.detail) == ("no_rate", "")


@pytest.mark.parametrize(
    ("kind", "film", "begin", "length"),
    [
        ("ImageFromBatch", "image", "batch_index", "length"),
        ("GetImageRangeFromBatch", "images", "start_index", "num_frames"),
    ],
)
def test_a_given_film_is_not_cut_to_the_length_that_its_owner_had(
    export: "Export", ask: "Ask", kind: str, film: str, begin: str, length: str
) -> None:
    nodes = export(STYLE)
    nodes["cut"] = node(kind, **{film: ["5444", 0], begin: 12, length: ["count", 0]})
    nodes["count"] = node("PrimitiveInt", "Frame Count", value=97)
    nodes["5458"]["inputs"]["input"] = ["cut", 0]
    nodes["latent"]["inputs"]["length"] = ["size", 2]  # as many as the film has left

    graph = prompt_of(adopt(graph_of(nodes), STYLE), ask, frames=241)

    assert (graph["cut"]["inputs"][begin], graph["cut"]["inputs"][length]) == (0, 241)
    assert graph["latent"]["inputs"]["length"] == 241


def test_one_frame_of_a_film_stays_one_frame(export: "Export", ask: "Ask") -> None:
    nodes = export(STYLE)
    nodes["still"] = node("ImageFromBatch", image=["5444", 0], batch_index=-1, length=1)
    nodes["mixed"] = node("ImageBatch", image1=["5429", 0], image2=["still", 0])
    nodes["look"]["inputs"]["image"] = ["mixed", 0]

    graph = prompt_of(adopt(graph_of(nodes), STYLE), ask, frames=241)

    still = graph["still"]["inputs"]
    assert (still["batch_index"], still["length"]) == (-1, 1)


def test_a_film_cut_by_time_is_as_long_as_the_clip(export: "Export", ask: "Ask") -> None:
    nodes = export(STYLE)
    nodes["5444"] = node("LoadVideo", file="mine.mp4")
    nodes["part"] = node(
        "Video Slice", video=["5444", 0], start_time=2.0, duration=3.0, strict_duration=False
    )
    nodes["parts"] = node("GetVideoComponents", video=["part", 0])
    nodes["5458"]["inputs"]["input"] = ["parts", 0]
    nodes["218"]["inputs"] = {"any_01": ["parts", 1]}

    graph = prompt_of(adopt(graph_of(nodes), STYLE), ask, frames=241)

    part = graph["part"]["inputs"]
    assert part["start_time"] == 0
    assert part["duration"] == pytest.approx(241 / 24, abs=0.05)
