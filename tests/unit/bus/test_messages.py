import asyncio
import json

import pytest

from core.bus.messages import (
    LIMIT,
    PREVIEW_LIMIT,
    CancelMessage,
    PreviewMessage,
    ProgressMessage,
    Topic,
    of_cancel,
    of_preview,
    of_progress,
    read_cancel,
    read_preview,
    read_progress,
)
from core.bus.outgoing import OutgoingMessages
from core.domain.clip_preview import MOST_BYTES, MOST_MOMENTS, ClipPreview
from core.domain.progress import Downloading, Stage, Waiting, Working
from core.domain.prompt_preview import PromptPreview, prompt_preview
from core.testing.doubles import grey_preview
from tests.support.clocks import Seconds

EVENTS = (
    Waiting(3, 12.5, 40.0),
    Waiting(1, 2.0),
    Downloading("models/" + "x" * 400 + "/ltx.safetensors", 10**10, 4 * 10**10, 10**9),
    Working(Stage.STAGE1, 3, 8, 0.4),
)


@pytest.mark.parametrize("event", EVENTS)
def test_progress_arrives_as_it_was_sent(event):
    text = of_progress(ProgressMessage("a" * 32, 2, event))
    read = read_progress(text)

    assert len(text.encode()) <= LIMIT
    assert read is not None
    assert (read.job, read.attempt) == ("a" * 32, 2)
    if isinstance(event, Downloading):
        assert event.file.endswith(read.event.file)
        assert read.event.left_bytes == event.left_bytes
    else:
        assert read.event == event


def test_a_cancel_arrives_as_it_was_sent():
    message = CancelMessage("b" * 32, "operator")

    assert read_cancel(of_cancel(message)) == message


def test_a_preview_arrives_as_it_was_sent_however_large_it_may_be():
    head = b"RIFF....WEBP"
    largest = ClipPreview(head + bytes(MOST_BYTES - len(head)), MOST_MOMENTS)
    for preview in (largest, grey_preview()):
        message = PreviewMessage("c" * 32, 3, preview)
        text = of_preview(message)

        assert len(text.encode()) <= PREVIEW_LIMIT
        assert read_preview(text) == message


@pytest.mark.parametrize(
    "words",
    [
        "A boat leaves.",
        "łódź " * 200,
        "船" * 1999,
        "\U0001f6a3\u200d\u2640 “rows”",
        '"' * 900,
        "\\" * 900,
    ],
)
def test_words_of_a_model_arrive_as_they_were_sent(words):
    preview = prompt_preview(words)
    assert preview is not None
    text = of_preview(PreviewMessage("c" * 32, 3, preview))

    assert len(text.encode()) <= PREVIEW_LIMIT
    assert read_preview(text) == PreviewMessage("c" * 32, 3, preview)


@pytest.mark.parametrize("words", ["", "a\x00b", "a\nb", "\ud800", "船" * 2001])
def test_words_that_nobody_could_be_shown_are_none(words):
    assert prompt_preview(words) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", '{"job":1}', '{"job":"a","attempt":1,"kind":"flying","event":{}}',
     '{"job":"a","attempt":"x","event":"{\\"kind\\":\\"waiting\\",\\"position\\":1}"}',
     '{"job":"a","attempt":1,"event":"{\\"kind\\":\\"working\\",\\"stage\\":\\"sing\\"}"}'],
)  # fmt: skip
def test_what_another_version_wrote_is_no_message(text):
    assert read_progress(text) is None
    assert read_cancel(text) is None
    assert read_preview(text) is None


def test_fields_of_a_newer_version_are_left_out():
    data = json.loads(of_progress(ProgressMessage("a", 1, EVENTS[3])))
    event = json.dumps({**json.loads(data["event"]), "mood": "good"})

    read = read_progress(json.dumps({**data, "event": event, "from_the_future": 1}))

    assert read is not None
    assert read.event == EVENTS[3]


async def collected(clock):
    sent = []

    async def send(messages):
        sent.extend(messages)

    return OutgoingMessages(send, clock), sent


async def test_equal_messages_are_sent_once_and_progress_only_newest():
    clock = Seconds()
    out, sent = await collected(clock)
    for step in range(5):
        out.wake()
        out.owed()
        out.progress("job", Working(Stage.STAGE1, step, 8, step / 8), 1)

    await out._send_due()

    assert [topic for topic, _ in sent] == [Topic.WORK, Topic.OWED, Topic.PROGRESS]
    assert read_progress(sent[-1][1]).event.step == 4


async def test_progress_of_a_job_is_sent_at_most_twice_a_second():
    clock = Seconds()
    out, sent = await collected(clock)
    for tenth in range(20):
        clock.now = 100 + tenth / 10
        out.progress("job", Working(Stage.STAGE1, tenth, 20, tenth / 20), 1)
        await out._send_due()

    assert len(sent) == 4


async def test_of_previews_the_newest_is_sent_at_most_twice_a_second_beside_progress():
    clock = Seconds()
    out, sent = await collected(clock)
    for tenth in range(20):
        clock.now = 100 + tenth / 10
        out.progress("job", Working(Stage.STAGE1, tenth, 20, tenth / 20), 1)
        out.preview("job", grey_preview(tenth * 10), 1)
        out.preview("other", grey_preview(tenth * 10), 1)
        await out._send_due()

    previews = [read_preview(text) for topic, text in sent if topic is Topic.PREVIEW]
    assert len(sent) == 12
    assert [one.job for one in previews] == ["job", "other"] * 4
    assert previews[2].preview == grey_preview(50)


async def test_a_message_that_cannot_be_sent_is_lost_and_the_next_one_is_sent():
    tried = []

    async def send(messages):
        tried.append(messages)
        if len(tried) == 1:
            raise OSError

    out = OutgoingMessages(send)
    out.wake()
    await out._send_due()
    out.owed()
    await out._send_due()

    assert tried == [[(Topic.WORK, "")], [(Topic.OWED, "")]]


async def test_the_words_of_a_job_are_not_overtaken_by_its_pictures():
    sent: list[str] = []

    async def send(messages):
        sent.extend(text for _, text in messages)

    outgoing, stop = OutgoingMessages(send, Seconds()), asyncio.Event()
    stop.set()
    outgoing.preview("a", PromptPreview("A boat leaves."), 1)
    outgoing.preview("a", grey_preview(1), 1)
    outgoing.preview("a", grey_preview(2), 1)
    await outgoing.run(stop)

    previews = [message.preview for message in map(read_preview, sent) if message is not None]
    assert previews == [PromptPreview("A boat leaves."), grey_preview(2)]
