from core.bus.incoming import IncomingMessages, LocalEnds
from core.bus.messages import (
    CancelMessage,
    PreviewMessage,
    ProgressMessage,
    Topic,
    of_cancel,
    of_preview,
    of_progress,
)
from core.domain.progress import Stage, Waiting, Working
from core.runtime.notifier import LocalDispatcher
from core.runtime.progress_hub import ProgressHub
from core.testing.doubles import grey_preview


class Peers:
    """Writes down what was told to others."""

    def __init__(self):
        self.told = []

    def wake(self):
        self.told.append("wake")

    def cancel(self, job_id, by):
        self.told.append(("cancel", job_id, by))

    def progress(self, job_id, event, attempt):
        self.told.append(("progress", job_id, attempt))

    def preview(self, job_id, preview, attempt):
        self.told.append(("preview", job_id, attempt))

    def owed(self):
        self.told.append("owed")


class Node:
    """One process: its ends, and what it told others."""

    def __init__(self):
        self.peers = Peers()
        self.hub = ProgressHub(self.peers)
        self.dispatcher = LocalDispatcher(self.peers)
        self.owed = 0
        ends = LocalEnds(self.hub, self.dispatcher, self._owed)
        self.incoming = IncomingMessages(ends, lambda _, call: call())

    def _owed(self):
        self.owed += 1

    def progress(self, attempt, step):
        event = Working(Stage.STAGE1, step, 8, step / 8)
        self.incoming.receive(Topic.PROGRESS, of_progress(ProgressMessage("job", attempt, event)))

    def preview(self, attempt, grey):
        message = PreviewMessage("job", attempt, grey_preview(grey))
        self.incoming.receive(Topic.PREVIEW, of_preview(message))


def test_what_is_heard_is_done_here_and_told_to_nobody():
    node = Node()
    token = node.dispatcher.token_for("job")

    node.progress(1, 3)
    node.incoming.receive(Topic.OWED, "")
    node.incoming.receive(Topic.WORK, "")
    node.incoming.receive(Topic.CANCEL, of_cancel(CancelMessage("job", "owner")))

    assert node.hub.latest("job") == Working(Stage.STAGE1, 3, 8, 3 / 8)
    assert node.owed == 1
    assert token.cancelled
    assert node.peers.told == []


def test_a_cancel_is_told_to_others_only_where_the_job_does_not_run_here():
    node = Node()
    token = node.dispatcher.token_for("here")

    node.dispatcher.cancel("here", "owner")
    node.dispatcher.cancel("there", "operator")

    assert token.cancelled
    assert node.peers.told == [("cancel", "there", "operator")]


def test_progress_of_an_attempt_that_lost_the_job_is_dropped():
    node = Node()

    node.progress(2, 1)
    node.progress(1, 7)

    assert node.hub.latest("job").step == 1


def test_a_job_that_is_back_in_line_begins_anew():
    node = Node()
    waiting = Waiting(1, 3.0)

    node.progress(2, 1)
    node.incoming.receive(Topic.PROGRESS, of_progress(ProgressMessage("job", 1, waiting)))

    assert node.hub.latest("job") == waiting
    node.progress(1, 5)
    assert node.hub.latest("job").step == 5


def test_unknown_topics_and_texts_change_nothing():
    node = Node()
    for topic in (*Topic, "clapper_song"):
        node.incoming.receive(topic, "{" if topic != Topic.OWED else "")

    assert node.hub.latest("job") is None
    assert node.peers.told == []


def test_previews_are_of_the_attempt_that_has_the_job_and_go_no_further():
    node = Node()
    node.preview(1, 10)
    assert node.hub.preview("job") is None

    node.progress(2, 1)
    node.preview(2, 20)
    node.preview(1, 30)

    assert node.hub.preview("job") == grey_preview(20)
    assert node.peers.told == []
