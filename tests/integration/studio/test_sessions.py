"""Sessions without copies: all that Gradio's own remember, but for the links nobody has."""

import gradio as gr
import pytest
from gradio.state_holder import SessionState, StateHolder

from webui.front import in_own_loop
from webui.page.session_state import Sessions


@pytest.fixture
def page() -> gr.Blocks:
    return in_own_loop(_page)


def _page() -> gr.Blocks:
    with gr.Blocks() as blocks:
        gr.CheckboxGroup(["a"], label="choices")
        gr.Textbox("as built", label="text")
        gr.State([])
    return blocks


def holder(page: gr.Blocks, kind: type[StateHolder]) -> StateHolder:
    made = kind()
    made.set_blocks(page)
    return made


def test_a_session_differs_from_gradios_in_the_copies_alone(page: gr.Blocks) -> None:
    ours, theirs = holder(page, Sessions)["one"], holder(page, StateHolder)["one"]

    assert isinstance(ours, SessionState)
    assert vars(ours).keys() == vars(theirs).keys()
    assert len(theirs.config_values) == len(page.blocks)  # what is saved; else this is not needed
    assert ours.config_values == {}
    assert ours.blocks_config.blocks == theirs.blocks_config.blocks


def test_what_an_event_changes_stays_in_its_session(page: gr.Blocks) -> None:
    sessions = holder(page, Sessions)
    kinds = (gr.CheckboxGroup, gr.Textbox, gr.State)
    group, text, state = (
        next(block for block in page.blocks.values() if isinstance(block, kind)) for kind in kinds
    )

    sessions["one"][group._id] = gr.CheckboxGroup(["b", "c"], render=False)
    sessions["one"]._update_value_in_config(text._id, "typed")
    sessions["one"][state._id].append(1)

    assert sessions["one"][group._id].choices == [("b", "b"), ("c", "c")]
    assert sessions["one"].config_values[text._id]["props"]["value"] == "typed"
    assert sessions["two"][group._id] is group
    assert (sessions["one"][state._id], sessions["two"][state._id]) == ([1], [])


def test_the_oldest_session_goes_when_there_are_too_many(page: gr.Blocks) -> None:
    sessions = holder(page, Sessions)
    sessions.capacity = 2

    for name in ("one", "two", "one", "three"):
        _ = sessions[name]

    assert list(sessions.session_data) == ["one", "three"]
