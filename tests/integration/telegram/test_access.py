"""Who may use the bot on Telegram: closed unless an operator, the settings or a group lets in."""

import pytest

from core.i18n.messages import say

ANN, BEN, OP = 501, 502, 900
HELP = "/help"


@pytest.fixture
async def closed(town_with):
    """A service as it is after the first start; its operator has opened the private chat."""
    async with town_with(allowed="own") as town:
        await town.answer(town.say("/start", OP))
        yield town


async def test_a_stranger_is_told_how_to_ask_and_an_operator_lets_them_in(
    closed, small: str
) -> None:
    for said in ("/start", f"/t2v a kite {small}", "a kite over the sea"):
        answer = await closed.answer(closed.say(said))
        assert "let in" in answer.text
        assert answer.callback_data() == [f"v1:ask:{ANN}"]
    media = await closed.answer(closed.say(caption="/i2v", **closed.media("image")))
    assert "let in" in media.text
    assert "getFile" not in [name for name, _ in closed.world.calls]

    closed.tap(answer, "v1:ask:")
    await closed.says("I asked my operators", ANN)
    notice = await closed.says(f"telegram:user:{ANN}", OP)
    closed.tap(notice, "v1:access=allow.", OP)
    await closed.says("You may use me now", ANN)

    assert await closed.made(f"/t2v a kite {small}")
    await closed.world.until(lambda: not notice.callback_data())
    assert "may use me now" in notice.text
    closed.tap(answer, "v1:ask:")  # a button of before takes nothing away
    await closed.says("let in already", ANN)
    assert await closed.made(f"/t2v a boat {small}")


@pytest.mark.parametrize(("verb", "words"), [("deny", "said no"), ("block", "may not make")])
async def test_who_was_turned_down_or_blocked_asks_in_vain(closed, verb: str, words: str) -> None:
    asked = await closed.answer(closed.say("/t2v a kite"))
    closed.tap(asked, "v1:ask:")
    notice = await closed.says(f"telegram:user:{ANN}", OP)
    closed.tap(notice, f"v1:access={verb}.", OP)
    await closed.world.until(lambda: not notice.callback_data())

    closed.tap(asked, "v1:ask:")

    await closed.says(words, ANN)


async def test_in_a_foreign_group_the_button_opens_the_private_chat(closed, small: str) -> None:
    group = closed.world.group()
    answer = await closed.answer(closed.say(f"/t2v a kite {small}", chat=group))

    assert "let in" in answer.text
    assert closed.led_by(answer) == "access"
    asked = await closed.answer(closed.say("/start access"))
    assert "I asked my operators" in asked.text


async def test_a_group_that_an_operator_manages_is_open(closed, small: str) -> None:
    group = closed.world.group()
    group.managers = {OP}

    await closed.clip(closed.say(f"/t2v a kite {small}", chat=group))

    assert "let in" in (await closed.answer(closed.say(f"/t2v a kite {small}"))).text


@pytest.mark.parametrize("kind", ["user:501", "chat:-100", "members:-100"])
async def test_each_kind_of_entry_lets_in_whom_it_names(town_with, small: str, kind: str) -> None:
    async with town_with(allowed=f"telegram:{kind}") as town:
        group = town.world.group()
        group.strangers = {BEN}
        assert await town.clip(town.say(f"/t2v a kite {small}", chat=group))
        private = await town.answer(town.say(f"/t2v a kite {small}"))
        assert ("let in" in private.text) is kind.startswith("chat")
        other = await town.answer(town.say(f"/t2v a kite {small}", BEN))
        assert "let in" in other.text


async def test_an_operator_lets_a_chat_in_and_out_by_a_command(closed, small: str) -> None:
    group = closed.world.group()
    await closed.answer(closed.say("/admin allow", OP, group))
    await closed.clip(closed.say(f"/t2v a kite {small}", chat=group))
    await closed.answer(closed.say("/admin disallow", OP, group))
    assert "let in" in (await closed.answer(closed.say(f"/t2v a kite {small}", chat=group))).text


@pytest.mark.parametrize(
    "typed",
    [
        "block :",
        "block discord:",
        "block telegram:@ben",
        "block ١٢٣ spam",
        "block nowhere:5",
        "unblock telegram:",
        "grant telegram:abc 5",
        "allow discord:colour:5",
        "allow @ben",
    ],
)
async def test_nobody_is_not_blocked_granted_or_let_in(town, typed: str) -> None:
    answer = await town.answer(town.say(f"/admin {typed}", OP))

    assert "Done" not in answer.text
    assert "telegram:" in answer.text
    assert await town.core.community.audit.entries() == []


async def test_rules_are_shown_before_they_are_changed_and_old_ones_are_kept_in_the_log(
    town, small: str
) -> None:
    await town.answer(town.say("/admin policy words red room, gore", OP))
    shown = await town.answer(town.say("/admin policy words", OP))
    assert "“red room” “gore”" in shown.text
    await town.answer(town.say("/admin policy words none", OP))

    newest = (await town.core.community.audit.entries())[0]
    assert "red room" in newest.detail
    refused = await town.answer(town.say("/admin policy roles 42", OP))
    assert "keep everybody out" in refused.text


async def test_rules_of_all_places_stand_above_those_of_one(town, small: str) -> None:
    await town.answer(town.say("/admin policy everywhere words red room", OP))
    group = town.world.group()
    for chat in (None, group):
        said = town.say(f"/t2v the Rеd-Rооm {small}", chat=chat)  # two letters are Cyrillic
        assert "not allowed here" in (await town.answer(said)).text
    tested = await town.answer(town.say("/admin test a r e d room, or a red  room", OP))
    assert "red room" in tested.text
    assert "No word rule" in (await town.answer(town.say("/admin test a kite", OP))).text


async def test_notices_are_in_the_language_that_their_person_last_used(closed) -> None:
    def say_in(language: str, user: int, text: str):
        sender = {"id": user, "is_bot": False, "first_name": "x", "language_code": language}
        return closed.say(text, user, **{"from": sender})

    await closed.answer(say_in("de", OP, "/help"))
    asked = await closed.answer(say_in("pl", ANN, "/start access"))
    assert asked.text == say("access_sent", {}, "pl")

    notice = await closed.says(f"telegram:user:{ANN}", OP)
    assert notice.label("v1:access=allow.") == say("access_allow_label", {}, "de")
    closed.tap(notice, "v1:access=allow.", OP)

    await closed.says(say("access_allowed", {"cmd": {"help": HELP}}, "pl"), ANN)
