"""A mode may run the graph of another one, and says the difference alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.domain.modes import MODES, Mode
from core.domain.presets import Preset
from core.models.catalog import Profile, names
from core.workflow import library
from core.workflow.adopt import adopt
from core.workflow.bind import bind
from core.workflow.errors import NotAdoptable, TemplateBroken
from core.workflow.graph import Graph, Link, Literal
from core.workflow.graph_reuse import InputChange, parse_reuse
from core.workflow.guides import guides_of
from core.workflow.input_files import inputs_of
from core.workflow.library import WORKFLOWS, Workflow, load, reuse_of
from core.workflow.validation import defects

if TYPE_CHECKING:
    from tests.workflows.conftest import Ask, Export, Fill

LOOP = 'graph = "keyframe"\n[files]\nimage = ["first", "last"]\n'
SOFTER = LOOP + '[[changes]]\nnode = "stage2_last"\ninput = "strength"\nvalue = 0.5\n'
REUSING = [mode for mode in Mode if reuse_of(mode)]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of workflows where i2v has no graph yet."""
    for path in WORKFLOWS.glob("keyframe.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(library, "WORKFLOWS", tmp_path)
    for cached in (library._project, guides_of):
        cached.cache_clear()
    yield tmp_path
    for cached in (library._project, guides_of):
        cached.cache_clear()


def loop(folder: Path, text: str = LOOP) -> Workflow:
    (folder / "i2v.bindings.toml").write_text(text, "utf-8")
    return load(Mode.I2V, None)


@pytest.mark.parametrize("preset", Preset)
def test_one_picture_is_given_to_both_loaders_and_all_else_is_the_other_modes(
    write: Path, preset: Preset, ask: "Ask", fill: "Fill"
) -> None:
    workflow = loop(write)
    request = ask(Mode.I2V, preset)
    picture = request.media()["image"]
    other = ask(Mode.KEYFRAME, preset, media={"first": picture, "last": picture})

    assert defects(workflow) == []
    assert [item.role for item in inputs_of(workflow, request)] == ["image"]
    # `mode` reaches a graph through the neutral sentence alone, and both have a prompt
    assert fill(request).graph == fill(other).graph


def test_a_change_is_an_input_of_one_node(write: Path, ask: "Ask", fill: "Fill") -> None:
    plain, softer = load(Mode.KEYFRAME, None).graph, loop(write, SOFTER).graph

    changed = {key for key in plain.nodes if plain.nodes[key] != softer.nodes[key]}
    assert changed == {"stage2_last"}
    assert fill(ask(Mode.I2V)).graph["stage2_last"]["inputs"]["strength"] == 0.5
    assert plain.nodes["stage2_last"].inputs["strength"] == Literal.of(1.0)


def test_a_change_may_be_a_link() -> None:
    text = LOOP + '[[changes]]\nnode = "frames"\ninput = "samples"\nvalue = ["stage1_crop", 2]\n'

    reuse = parse_reuse(text)

    assert reuse is not None
    assert reuse.changes == (InputChange("frames", "samples", Link("stage1_crop", 2)),)


def test_the_plan_is_that_of_the_graph(write: Path) -> None:
    loop(write)

    assert guides_of(Mode.I2V) == guides_of(Mode.KEYFRAME)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, 'it needs workflows/i2v.json, or graph = "<another mode>"'),
        ('output = "output"', 'it needs workflows/i2v.json, or graph = "<another mode>"'),
        ('graph = "nonsense"', "nonsense"),
        ('graph = "t2v"', "t2v has no graph of its own to share"),
        ('graph = "i2v"', "i2v has no graph of its own to share"),
        (LOOP + '[values]\nmood = "x"', "values"),
        (LOOP + '[[changes]]\nnode = "nowhere"\ninput = "x"\nvalue = 1', "no 'nowhere' in"),
        (LOOP + '[[changes]]\nnode = "frames"\ninput = "nothing"\nvalue = 1', "no 'nothing' in"),
        (LOOP + '[[changes]]\nnode = "frames"', "input"),
    ],
)
def test_a_mistake_names_the_mode_and_what_is_missing(
    write: Path, text: str | None, said: str
) -> None:
    with pytest.raises(TemplateBroken) as caught:
        loop(write, text) if text else load(Mode.I2V, None)

    assert caught.value.mode == Mode.I2V
    assert said in caught.value.defects


def test_a_file_that_goes_nowhere_and_a_loader_without_file_are_defects(write: Path) -> None:
    found = defects(loop(write, 'graph = "keyframe"\n[files]\npicture = ["first"]\n'))

    assert {(item.reason, item.detail or item.name) for item in found} == {
        ("unknown_value", "picture"),
        ("unknown_value", "last"),
        ("field_unbound", "image"),
    }


def test_an_export_may_load_the_picture_once_or_as_often_as_our_graph(
    write: Path, export: "Export", ask: "Ask"
) -> None:
    loop(write)
    twice = load(Mode.KEYFRAME, None).graph
    once = twice.with_nodes(twice.nodes["last_scaled"].with_input("image", Link("first")))

    for graph, loaders in ((twice, {"first", "last"}), (once.pruned("output"), {"first"})):
        workflow = adopt(graph, Mode.I2V).workflow
        bound = bind(workflow, ask(Mode.I2V), names(Profile.FP8), {"image": "x.bin"}, "job-1")
        given = {key for key, node in bound.graph.items() if node["inputs"].get("image") == "x.bin"}
        assert given == loaders


def test_more_loaders_than_the_graph_of_the_project_has_are_refused(write: Path) -> None:
    loop(write)
    graph = load(Mode.KEYFRAME, None).graph
    third = graph.nodes["last"]
    more = Graph.of([*graph.nodes.values(), type(third)("third", third.kind, third.inputs)])
    guide = more.nodes["stage1_first"].with_input("image", Link("third"))

    with pytest.raises(NotAdoptable) as caught:
        adopt(more.with_nodes(guide), Mode.I2V)

    assert caught.value.reason == "extra_image_loader"


@pytest.mark.parametrize("mode", REUSING)
def test_every_file_of_a_reusing_mode_goes_where_its_binding_file_says(mode: Mode) -> None:
    reuse = reuse_of(mode)

    assert reuse is not None
    theirs = {role for roles in reuse.files.values() for role in roles}
    assert theirs <= {slot.role for slot in MODES[reuse.base].slots}
    assert reuse.files.keys() <= {slot.role for slot in MODES[mode].slots}
