"""What is about an account is read by its person alone, whoever is in the chat."""

import pytest

from bots.telegram.buttons import _HANDLERS
from bots.telegram.private_chat import BUTTON_AUDIENCES, Audience
from bots.telegram.user_commands import ACCOUNT
from core.accounts.linked_accounts import CODE_ALPHABET, CODE_LENGTH
from core.domain.followups import Action
from core.domain.options import OPTIONS
from core.domain.people import Requester
from core.errors import LinkCodeUnknown
from tests.support.platforms.telegram.world import Chat

ANN, BEN, OP = 501, 502, 900
PERSONAL = sorted(n for n, command in ACCOUNT.items() if command.audience is Audience.PERSON)
PUBLIC_KINDS = ("group", "supergroup", "topic")


def place(town, kind: str) -> tuple[Chat, dict]:
    if kind == "topic":
        return town.world.group(), {"message_thread_id": 7, "is_topic_message": True}
    return town.world.group(-100 if kind == "supergroup" else -7, kind), {}


def code_in(text: str) -> str:
    words = (word.strip(".") for word in text.split())
    return next(w for w in words if len(w) == CODE_LENGTH and set(w) <= set(CODE_ALPHABET))


@pytest.fixture
async def private_clip(town, small: str):
    return await town.clip(town.say(f"/t2v my secret {small}"))


@pytest.mark.parametrize("kind", PUBLIC_KINDS)
async def test_no_account_command_says_anything_of_the_account_in_a_group(
    town, private_clip, kind: str
) -> None:
    job = await town.job(private_clip)
    chat, more = place(town, kind)
    for name in sorted(ACCOUNT):
        answer = await town.answer(town.say(f"/{name}", ANN, chat, **more))
        assert answer.chat_id == chat.id
        if name in PERSONAL:
            assert town.led_by(answer) == name
            assert "only for you" in answer.text
        for hidden in ("secret", "GPU time left", job.id[:8], "Text to video", "Your code"):
            assert hidden not in answer.text, name
    assert town.world.with_video(chat.id) == []


async def test_what_a_group_led_to_is_done_in_the_private_chat(town, private_clip) -> None:
    group = town.world.group()
    says = {
        "queue": "Running",
        "history": "Text to video",
        "quota": "GPU time left",
        "link": "Your code is",
        "unlink": "No other account",
        "forget": "elete",
    }
    assert set(says) == set(PERSONAL)
    for name, words in says.items():
        led = town.led_by(await town.answer(town.say(f"/{name}", ANN, group)))
        answer = await town.answer(town.say(f"/start {led}"))
        assert answer.chat_id == ANN
        assert words in answer.text or name == "queue"


async def test_every_button_says_whom_its_answer_is_for() -> None:
    assert set(BUTTON_AUDIENCES) == set(_HANDLERS) | {
        row.name for row in OPTIONS.values() if row.buttons
    }


async def test_listings_of_other_people_open_the_operators_private_chat(town) -> None:
    group = town.world.group()
    for name in ("jobs", "audit"):
        led = town.led_by(await town.answer(town.say(f"/admin {name}", OP, group)))
        assert led == f"admin_{name}"
        answer = await town.answer(town.say(f"/start {led}", OP))
        assert "/admin" not in answer.text
        assert "Only operators" in (await town.answer(town.say(f"/start {led}", BEN))).text


async def test_an_anonymous_administrator_gets_no_answer_about_anybody(town) -> None:
    group = town.world.group()
    for name in PERSONAL:
        said = town.say(f"/{name}", ANN, group, sender_chat=group.payload())
        assert "cannot tell who you are" in (await town.answer(said)).text


async def test_a_code_typed_in_a_group_joins_nobody_and_ends(town) -> None:
    community = town.core.community
    code = await community.accounts.link_code(Requester("discord", "77"))

    answer = await town.answer(town.say(f"/link {code}", ANN, town.world.group()))

    assert "no longer works" in answer.text
    with pytest.raises(LinkCodeUnknown):
        await community.accounts.link(Requester("telegram", "9"), code)


@pytest.mark.parametrize("action", sorted({Action.AGAIN, Action.DELETE, "seconds"}))
async def test_a_strangers_press_in_a_group_is_an_alert_and_posts_nothing(
    town, small: str, action: str
) -> None:
    group = town.world.group()
    shown = await town.clip(town.say(f"/t2v a red kite {small}", ANN, group))
    job = await town.job(shown)
    before = len(town.world.shown())

    data = f"v1:seconds=3:{job.id}" if action == "seconds" else f"v1:{action}:{job.id}"
    query = town.server.press(BEN, group, shown.id, data)

    await town.world.until(lambda: query in town.world.answers)
    answer = town.world.answers[query]
    assert "belongs to somebody else" in answer["text"]
    assert str(answer["show_alert"]).lower() == "true"
    await town.answer(town.say("/help", BEN))
    assert len(town.world.shown()) == before + 1
    assert shown.video


async def test_details_in_a_group_open_the_private_chat(town, small: str) -> None:
    group = town.world.group()
    shown = await town.clip(town.say(f"/t2v a red kite {small}", ANN, group))

    query = town.tap(shown, "v1:details:")

    await town.world.until(lambda: query in town.world.answers)
    led = town.world.answers[query]["url"].partition("?start=")[2]
    assert "a red kite" in (await town.answer(town.say(f"/start {led}"))).text
    assert "belongs to" in (await town.answer(town.say(f"/start {led}", BEN))).text


@pytest.mark.parametrize("action", ["fetch", "again", "edit", "longer", "last_frame", "quality"])
async def test_a_clip_of_the_private_chat_is_shown_to_no_group(
    town, private_clip, small: str, action: str
) -> None:
    group = town.world.group()
    public = await town.clip(town.say(f"/t2v a red kite {small}", ANN, group))
    secret = await town.job(private_clip)
    before = len(town.world.shown(group.id))

    query = town.server.press(ANN, group, public.id, f"v1:{action}:{secret.id}")

    await town.world.until(lambda: query in town.world.answers)
    assert f"job_{secret.id}" in town.world.answers[query]["url"]
    for text in (f"/again {secret.id[:8]}", f"/start job_{secret.id}"):
        assert town.led_by(await town.answer(town.say(text, ANN, group))) == f"job_{secret.id}"
    assert len(town.world.shown(group.id)) == before + 2


async def test_the_owner_of_a_code_is_told_who_joined_and_undoes_it(town, private_clip) -> None:
    code = code_in((await town.answer(town.say("/link"))).text)
    assert "Joined" in (await town.answer(town.say(f"/link {code}", BEN))).text

    told = await town.says(f"telegram:{BEN}", ANN)
    town.tap(told, "v1:unlink:")

    await town.says("Removed", ANN)
    assert "Nothing here yet" in (await town.answer(town.say("/history", BEN))).text
    assert "No other account" in (await town.answer(town.say("/unlink"))).text


async def test_unlink_lists_who_belongs_together_and_parts_them(town) -> None:
    code = code_in((await town.answer(town.say("/link"))).text)
    await town.answer(town.say(f"/link {code}", BEN))

    listed = await town.answer(town.say("/unlink", BEN))
    assert f"telegram:{ANN}" in listed.text
    town.tap(listed, "v1:unlink:", BEN)

    await town.says("Removed", BEN)
    assert await town.core.community.accounts.keys(Requester("telegram", str(ANN))) == [
        Requester("telegram", str(ANN))
    ]


async def test_operators_are_told_of_trouble_in_their_private_chat(town) -> None:
    await town.answer(town.say("/start", OP))  # nobody can be written to before
    await town.core.alerts.send("delivery_dead", {"job_id": "0" * 32, "reason": "<gone>"})

    told = await town.says("deliveries revive", OP)

    assert "0" * 32 in told.text
    assert "gone" in told.text


@pytest.mark.parametrize("how", ["passed on", "offered by another bot"])
async def test_a_command_that_somebody_else_wrote_joins_shows_and_changes_nothing(
    town, private_clip, how: str
) -> None:
    stranger = {"id": 666, "is_bot": False, "first_name": "Eve"}
    origin = {"type": "user", "sender_user": stranger, "date": 1}
    eve = {"id": 667, "is_bot": True, "first_name": "Eve", "username": "eve_bot"}
    more = {"forward_origin": origin} if how == "passed on" else {"via_bot": eve}
    code = await town.core.community.accounts.link_code(Requester("telegram", "666"))

    for name in sorted({*ACCOUNT, "admin"}):
        rest = {"link": f" {code}", "admin": " pause"}.get(name, "")
        answer = await town.answer(
            town.say(f"/{name}{rest}", OP if name == "admin" else ANN, **more)
        )
        assert f"Somebody else wrote that /{name}" in answer.text

    assert await town.core.community.accounts.link(Requester("telegram", "9"), code)  # unused
    assert (await town.answer(town.say("/t2v --seconds x", OP))).text.find("paused") < 0


async def test_what_the_bot_itself_offered_in_a_chat_is_obeyed(town, small: str) -> None:
    own = {"id": 4242, "is_bot": True, "first_name": "Clapper", "username": "clapper_bot"}

    assert await town.made(f"/t2v a red kite {small}", via_bot=own)
    assert "I make videos" in (await town.answer(town.say("/help", via_bot=own))).text
