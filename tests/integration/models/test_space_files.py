"""Model files that a Space cannot get: its owner reads what to do, under the job and in the log."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.domain.jobs import Failure
from core.errors import ModelUnavailable, SpaceIncomplete
from core.i18n.messages import explain
from core.interfaces.executor import Order
from core.models.preparation import ensure_files
from core.runtime.cancellation import CancelToken
from core.testing.doubles import t2v
from tests.integration.models.test_ready import gate, lose, spoil
from webui.space.problems import ToldModelFiles
from webui.zerogpu.tries import error_of


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order("1" * 32, 1, t2v(), tmp_path, tmp_path)


def hide(hub, file):
    hub.private.add(file.repo)


def forbid(hub, file):
    hub.forbidden.add(file.repo)


def break_down(hub, file):
    hub.head_faults += [500] * 50


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (gate, ["accepts", "the secret HF_TOKEN", "/Lightricks/LTX-2.3", "Variables and secrets"]),
        (hide, ["the secret HF_TOKEN", "/Lightricks/LTX-2.3"]),
        (forbid, ["the secret HF_TOKEN", "/Lightricks/LTX-2.3"]),
        (lose, ["/Lightricks/LTX-2.3"]),
        (spoil, ["not the file that was published", "CLAPPER_HUB_ENDPOINT"]),
        (break_down, ["500", "Press Again"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_keeps_a_file_away_is_told_as_a_space_can_mend_it(
    open_store, hub, offer, weights, order, tmp_path, happens, words
):
    file = offer(weights())
    happens(hub, file)
    files = ToldModelFiles(open_store(), tmp_path / "none")

    with capture_logs() as said, pytest.raises(SpaceIncomplete) as caught:
        await ensure_files(files, [file], order, lambda _: None, CancelToken())

    sentence = explain(caught.value)
    assert all(word in sentence for word in (file.name, *words))
    assert "clapper " not in sentence
    assert explain(caught.value, "de") != sentence
    line = next(line for line in said if line["event"] == "space_incomplete")
    assert line["what"] == file.name
    assert line["hint"] in sentence
    stored = Failure.of(caught.value)  # as it crosses from the process with the GPU
    assert explain(error_of(stored)) == sentence


async def test_a_hub_that_is_switched_off_or_away_is_told(
    open_store, hub, offer, weights, order, tmp_path
):
    file = offer(weights())
    hub.endpoint = "http://127.0.0.1:1"
    files = ToldModelFiles(open_store(), tmp_path / "none")

    with pytest.raises(SpaceIncomplete) as caught:
        await ensure_files(files, [file], order, lambda _: None, CancelToken())

    assert "the hub does not answer" in explain(caught.value)


async def test_preloaded_files_that_cannot_be_read_are_the_cause_that_is_told(
    open_store, hub, offer, weights, order, tmp_path
):
    file = offer(weights())
    lose(hub, file)
    root = tmp_path / "preloaded"
    snapshot = root / "models--Lightricks--LTX-2.3" / "snapshots" / file.revision
    snapshot.mkdir(parents=True)
    (snapshot / file.path).symlink_to(snapshot / file.path)  # unreadable for everybody, root too

    with capture_logs() as said, pytest.raises(SpaceIncomplete) as caught:
        await ensure_files(
            ToldModelFiles(open_store(), root), [file], order, lambda _: None, CancelToken()
        )

    codes = [code for code, _ in json.loads(caught.value.problems)]
    assert codes == ["space_preload_unreadable", "space_hub_file_missing"]
    assert str(root) in explain(caught.value)
    assert [line["problem"] for line in said if line["event"] == "space_incomplete"] == [
        "preload_unreadable",
        "hub_file_missing",
    ]


async def test_elsewhere_the_log_says_what_the_operator_needs(
    open_store, hub, offer, weights, order
):
    file = offer(weights())
    gate(hub, file)

    with capture_logs() as said, pytest.raises(ModelUnavailable):
        await ensure_files(open_store(), [file], order, lambda _: None, CancelToken())

    line = next(line for line in said if line["event"] == "models_missing")
    assert (line["what"], line["problem"]) == (file.name, "hub_gated")
    assert line["page"].endswith("/Lightricks/LTX-2.3")
    assert "HF_TOKEN" in line["hint"]
