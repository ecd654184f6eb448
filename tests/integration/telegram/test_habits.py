"""How people call a bot that they know from elsewhere, and what they answer with it."""

ANN, BEN, BOT = 501, 502, 4242


def replied(town, user: int = BEN, **content) -> dict:
    """A message, as it stands inside the answer to it."""
    sender = {"id": user, "is_bot": user == BOT, "first_name": "x"}
    chat = town.world.private(ANN).payload()
    return {"message_id": town.world.next_id(), "date": 1, "chat": chat, "from": sender, **content}


async def test_a_command_may_stand_behind_the_name_of_the_bot(town, small: str) -> None:
    job = await town.made(f"@clapper_bot /t2v a red kite {small}", chat=town.world.group())
    assert (job.request.mode, job.request.prompt) == ("t2v", "a red kite")


async def test_a_command_answers_a_picture_of_another_chat(town, small: str) -> None:
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "x"}
    elsewhere = {"origin": origin, "has_media_spoiler": True, **town.media("image")}

    shown = await town.clip(town.say(f"/i2v it blinks {small}", external_reply=elsewhere))

    assert (await town.job(shown)).request.mode == "i2v"
    assert shown.payload["has_spoiler"] is True  # as the picture was


async def test_what_is_made_from_a_veiled_picture_is_veiled(town, small: str) -> None:
    media = town.media("image", has_media_spoiler=True)
    shown = await town.clip(town.say(caption=f"/i2v it blinks {small}", **media))
    assert shown.payload["has_spoiler"] is True


async def test_of_what_is_answered_the_quoted_words_count_and_never_the_bots_own(
    town, small: str
) -> None:
    told = replied(town, text="A long story. A red kite rises.")
    quote = {"text": "A red kite rises.", "position": 14}
    job = await town.made(f"/t2v {small}", reply_to_message=told, quote=quote)
    assert job.request.prompt == "A red kite rises."

    own = replied(town, BOT, text="What should happen in the video?")
    assert "What should happen" in (await town.answer(town.say("/t2v", reply_to_message=own))).text
