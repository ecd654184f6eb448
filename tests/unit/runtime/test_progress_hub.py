import asyncio

from core.domain.clip_preview import ClipPreview
from core.domain.progress import Progress, Stage, Waiting, Working
from core.domain.prompt_preview import PromptPreview
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub


def step(number: int) -> Working:
    return Working(Stage.STAGE1, number, 8, number / 8)


def test_the_newest_event_is_kept_until_the_job_ends() -> None:
    hub = ProgressHub()
    for number in range(1, 6):
        hub.publish("a", step(number))

    assert hub.latest("a") == step(5)
    assert hub.latest("b") is None
    hub.close("a")
    assert hub.latest("a") is None


def test_the_newest_preview_is_kept_while_the_job_is_made_and_no_longer() -> None:
    hub, first, second = ProgressHub(), ClipPreview(b"1", 1), ClipPreview(b"2", 1)
    hub.show("a", first)
    assert hub.preview("a") is None  # nobody knows of such a job

    hub.publish("a", step(1))
    hub.show("a", first)
    hub.show("a", second)
    hub.publish("a", step(2))
    assert hub.preview("a") == second
    assert hub.preview("b") is None

    hub.publish("a", Waiting(1, 2.0))  # its node was lost
    assert hub.preview("a") is None
    hub.publish("a", step(1))
    hub.show("a", first)
    hub.close("a")
    hub.receive_preview("a", second)  # late
    assert hub.preview("a") is None


def test_the_words_of_a_model_are_kept_beside_the_picture_and_no_longer() -> None:
    hub, words, picture = ProgressHub(), PromptPreview("A boat leaves."), ClipPreview(b"1", 1)
    hub.show("a", words)
    assert hub.prompt("a") is None  # nobody knows of such a job

    hub.publish("a", step(1))
    hub.show("a", words)
    hub.show("a", picture)
    assert (hub.prompt("a"), hub.preview("a")) == (words, picture)
    assert hub.prompt("b") is None
    assert "boat" not in repr(words)  # no log shows it

    hub.publish("a", Waiting(1, 2.0))  # its node was lost
    assert hub.prompt("a") is None
    hub.publish("a", step(1))
    hub.show("a", words)
    hub.close("a")
    assert hub.prompt("a") is None


def test_a_listener_hears_every_event_of_every_job_from_then_on() -> None:
    hub = ProgressHub()
    heard: list[tuple[str, Progress]] = []
    hub.publish("a", Waiting(2, 30.0))
    hub.listen(lambda job_id, event: heard.append((job_id, event)))
    hub.publish("a", step(1))
    hub.publish("b", step(2))

    assert heard == [("a", step(1)), ("b", step(2))]


async def test_a_wake_up_before_the_wait_is_not_lost() -> None:
    dispatcher = LocalDispatcher()
    dispatcher.wake()

    async with asyncio.timeout(120):
        await dispatcher.wait(60)


async def test_a_cancel_reaches_the_attempt_that_runs_here_and_no_later_one() -> None:
    dispatcher = LocalDispatcher()
    first = dispatcher.token_for("a")

    dispatcher.cancel("a", "operator")
    dispatcher.release("a", first)
    dispatcher.cancel("unknown", "owner")

    assert first.cancelled
    assert not dispatcher.token_for("a").cancelled
    assert not dispatcher.token_for("unknown").cancelled


async def test_an_attempt_that_lost_its_job_shares_no_cancel_with_the_next_one() -> None:
    dispatcher = LocalDispatcher()
    lost, newer = dispatcher.token_for("a"), dispatcher.token_for("a")

    lost.cancel("owner")
    dispatcher.release("a", lost)
    assert not newer.cancelled
    dispatcher.cancel("a", "owner")

    assert newer.cancelled
