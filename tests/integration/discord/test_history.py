"""A person's own list shows what each clip looks like and was asked for with, to them alone."""

import io

from PIL import Image

ANN, BEN = 501, 502


async def test_each_entry_has_its_prompt_and_its_still_for_its_person_alone(guild) -> None:
    for prompt in ("a red kite", "a blue kite"):
        await guild.clip(await guild.t2v(prompt=prompt))

    page = await guild.history(ANN)

    assert page.ephemeral
    assert page.is_layout
    assert page.content.index("`a blue kite`") < page.content.index("`a red kite`")
    assert len(page.stills()) == 2
    for still, veiled in page.stills():
        assert Image.open(io.BytesIO(still)).size == (256, 256)
        assert not veiled
    assert len([name for name in page.custom_ids() if ":fetch:" in name]) == 2
    nobody = await guild.history(BEN)
    assert "Nothing here yet" in nobody.content
    assert nobody.stills() == []


async def test_a_veiled_clip_has_a_veiled_still(guild) -> None:
    await guild.clip(await guild.t2v(prompt="secret", spoiler=True))

    page = await guild.history(ANN)

    assert [veiled for _, veiled in page.stills()] == [True]


async def test_the_other_page_has_its_own_stills(guild) -> None:
    for number in range(6):
        await guild.clip(await guild.t2v(prompt=f"kite {number}", seed=str(number)))
    page = await guild.history(ANN)
    first = list(page.files)

    await guild.server.press(page.id, page.button("page:history:2"), ANN)
    await guild.world.until(lambda: "page 2" in page.content)

    assert len(first) == 5
    assert len(page.stills()) == 1
    assert next(iter(page.files)).replace("still-1", "still-5") not in first
    assert len(page.files) == 1
    await guild.server.press(page.id, page.button("page:history:1"), ANN)
    await guild.world.until(lambda: "page 1" in page.content)
    assert list(page.files) == first


async def test_a_clip_whose_still_is_gone_is_listed_without(guild) -> None:
    message = await guild.clip(await guild.t2v(prompt="a red kite"))
    (await guild.job(message)).clip.poster.unlink()

    page = await guild.history(ANN)

    assert "`a red kite`" in page.content
    assert page.stills() == []
    assert page.button(":fetch:")
