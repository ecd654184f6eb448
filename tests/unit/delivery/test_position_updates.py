"""Who waits is told again when something moved, and not before."""

from types import SimpleNamespace

import pytest

from core.delivery.position_updates import PositionPublisher
from core.domain.jobs import Forecast, waiting_range
from core.domain.progress import Stage, Waiting, Working
from core.runtime.progress_hub import ProgressHub


class Queue:
    """A queue of one waiting job whose forecast the test sets."""

    def __init__(self) -> None:
        self.forecast_now = Forecast(3, 100.0, 110.0)

    async def in_order(self, _limit):
        return [SimpleNamespace(id="a", attempt=0, state=SimpleNamespace(waiting=True))]

    async def forecast(self, _job_id):
        return self.forecast_now


@pytest.fixture
def scene():
    queue, hub, at, heard = Queue(), ProgressHub(), [0.0], []
    hub.listen(lambda _, event: heard.append(event))
    publisher = PositionPublisher(queue, queue, hub, lambda: at[0])
    return SimpleNamespace(hub=hub, queue=queue, publisher=publisher, at=at, heard=heard)


async def test_a_forecast_that_comes_true_is_told_once(scene):
    for second in (0, 3, 50):
        scene.at[0] = second
        scene.queue.forecast_now = Forecast(3, 100.0 - second, 110.0 - second)
        await scene.publisher.publish()

    assert scene.heard == [Waiting(3, 100.0)]


@pytest.mark.parametrize(("ready_s", "told"), [(115.0, 1), (124.0, 1), (126.0, 2), (80.0, 2)])
async def test_a_forecast_is_told_again_when_it_moved_by_a_fifth(scene, ready_s, told):
    await scene.publisher.publish()
    scene.queue.forecast_now = Forecast(3, ready_s, ready_s)
    await scene.publisher.publish()

    assert len(scene.heard) == told


async def test_small_moves_add_up(scene):
    for ready_s in (100.0, 110.0, 120.0, 130.0):
        scene.queue.forecast_now = Forecast(3, ready_s, ready_s)
        await scene.publisher.publish()

    assert [event.ready_in_s for event in scene.heard] == [100.0, 130.0]


async def test_another_position_is_told_at_once(scene):
    await scene.publisher.publish()
    scene.queue.forecast_now = Forecast(2, 100.0, 110.0)
    await scene.publisher.publish()

    assert [event.position for event in scene.heard] == [3, 2]


@pytest.mark.parametrize("read", ["in_order", "forecast"])
async def test_a_job_that_starts_while_the_line_is_read_is_not_told_that_it_waits(
    scene, monkeypatch, read
):
    await scene.publisher.publish()
    plain, working = getattr(scene.queue, read), Working(Stage.STAGE1, 0, 1, 0.1)

    async def starting(key):
        scene.hub.publish("a", working)
        return await plain(key)

    monkeypatch.setattr(scene.queue, read, starting)
    scene.queue.forecast_now = Forecast(1, 10.0, 11.0)
    await scene.publisher.publish()

    assert scene.heard[-1] == scene.hub.latest("a") == working


async def test_a_job_that_is_back_in_line_is_told_where_it_stands(scene):
    scene.hub.publish("a", Working(Stage.STAGE1, 0, 1, 0.1))
    await scene.publisher.publish()

    assert scene.heard[-1] == Waiting(3, 100.0)


@pytest.mark.parametrize(
    ("ready_s", "late_s", "latest"), [(100, 130, None), (100, 170, 170), (30, 80, None)]
)
def test_both_ends_are_shown_only_where_they_lie_far_apart(ready_s, late_s, latest):
    assert waiting_range(Forecast(1, ready_s, late_s)) == Waiting(1, ready_s, latest)
