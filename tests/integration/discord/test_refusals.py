"""What cannot work is refused privately, before the GPU and before the quota."""

import pytest

from core.domain.modes import MODES

ANN, BEN, OP = 501, 502, 900


async def quota_used(guild, user: int = ANN) -> int:
    from core.domain.people import Requester

    view = await guild.core.quotas.quota(Requester("discord", str(user)))
    return view.used_ms + view.reserved_ms


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": "-4"}, "“-4” is no seed"),
        ({"seed": str(2**63)}, "from 0 to 9"),
        ({"aspect": "7:7", "width": None, "height": None}, "aspect"),
        ({"width": 1920, "height": 1920}, "Size"),
    ],
)
async def test_impossible_values_name_the_limit(guild, options: dict, words: str) -> None:
    await guild.t2v(**options)

    assert words in await guild.refusal()
    assert await quota_used(guild) == 0
    assert await guild.core.jobs.in_order() == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"size": 60_000_000}, "50.0 MB"),
        ({"content_type": "application/zip", "filename": "x.zip"}, "an archive"),
    ],
)
async def test_declared_type_and_size_are_refused_before_download(
    guild, extra: dict, words: str
) -> None:
    file = guild.file("image", **extra)

    await guild.server.command("i2v", ANN, guild.channel, {"image": file}, prompt="x")

    assert words in await guild.refusal()
    assert not [path for _, path in guild.world.requests if "/cdn/attachments" in path]


async def test_bytes_that_lie_about_their_type_are_refused(guild) -> None:
    file = guild.server.upload("cat.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")

    asked = await guild.server.command("i2v", ANN, guild.channel, {"image": file}, prompt="x")

    assert "PNG" in await guild.refusal()
    await guild.world.until(lambda: guild.world.messages[asked.original].deleted)
    assert await quota_used(guild) == 0


async def test_missing_rights_are_told_before_any_work(guild) -> None:
    from tests.support.platforms.discord.world import SEND, VIEW

    guild.channel.rights = VIEW | SEND

    await guild.t2v()

    assert "Attach Files" in await guild.refusal()
    assert await guild.core.jobs.in_order() == []


async def test_quota_is_checked_before_queueing(guild) -> None:
    from core.domain.people import Requester

    guild.executor.gate.clear()
    account = Requester("discord", str(ANN))
    view = await guild.core.quotas.quota(account)
    await guild.core.quotas.grant(account, -view.left_ms + 1)

    await guild.t2v()

    assert "GPU time" in await guild.refusal()


async def test_a_sixth_waiting_job_is_refused(guild) -> None:
    guild.executor.gate.clear()
    for number in range(6):
        await guild.answered(await guild.t2v(prompt=f"kite {number}"))

    await guild.t2v()

    assert "5 jobs waiting" in await guild.refusal()


async def test_a_rule_takes_every_mode_by_name_and_its_refusal_tells_them(guild) -> None:
    command, others = guild.server.command, [mode for mode in MODES if mode != "t2v"]
    asked = await command("admin policy", OP, guild.channel, rule="modes", value=",".join(MODES))
    shown = (await guild.answered(asked)).content
    assert [mode for mode in MODES if mode not in shown] == []

    await command("admin policy", OP, guild.channel, rule="modes", value=" ".join(others))
    await guild.t2v()

    await guild.world.until(
        lambda: any(", ".join(others) in m.content for m in guild.world.shown())
    )


async def test_policy_block_and_pause_are_obeyed(guild) -> None:
    command = guild.server.command
    await command("admin policy", OP, guild.channel, rule="words", value="kite")
    assert "words" in await guild.refusal()
    await guild.t2v()
    await guild.world.until(
        lambda: any("not allowed here" in m.content for m in guild.world.shown())
    )

    await command("admin policy", OP, guild.channel, rule="words", value="none")
    await command("admin pause", OP, guild.channel)
    await guild.world.until(lambda: any("paused" in m.content for m in guild.world.shown()))
    await guild.t2v()
    await guild.world.until(lambda: any("not accepted" in m.content for m in guild.world.shown()))

    await command("admin resume", OP, guild.channel)
    await guild.world.until(lambda: any("open" in m.content for m in guild.world.shown()))
    assert (await guild.clip(await guild.t2v())).videos


async def test_admin_commands_are_for_operators_only(guild) -> None:
    await guild.server.command("admin pause", ANN, guild.channel)

    assert "operators" in await guild.refusal()
    assert (await guild.core.health.read()).intake == "open"


async def test_every_admin_command_refuses_a_stranger_and_changes_nothing(guild) -> None:
    values: dict[int, object] = {3: "x", 10: 5.0}  # by Discord's type of the option
    admin = next(c for c in guild.world.commands if c["name"] == "admin")
    for command in admin["options"]:
        options = command.get("options") or []
        asked = await guild.server.command(
            f"admin {command['name']}",
            ANN,
            guild.channel,
            people={option["name"]: BEN for option in options if option["type"] == 6},
            **{o["name"]: values[o["type"]] for o in options if o["type"] != 6 and o["required"]},
        )
        answer = await guild.answered(asked)
        assert answer.ephemeral
        assert "Only operators" in answer.content, command["name"]

    assert await guild.core.community.audit.entries() == []
    assert (await guild.core.health.read()).intake == "open"


async def test_an_operator_grants_blocks_and_unblocks(guild) -> None:
    async def operate(verb: str, **options: object) -> str:
        asked = await guild.server.command(
            f"admin {verb}", OP, guild.channel, people={"user": ANN}, **options
        )
        return (await guild.answered(asked)).content

    before = await guild.core.users.quota(guild.person(ANN))
    assert f"discord:{ANN}" in await operate("grant", minutes=5.0)
    after = await guild.core.users.quota(guild.person(ANN))
    assert after.limit_ms == before.limit_ms + 5 * 60_000

    await operate("block", reason="spam")
    await guild.t2v()
    await guild.world.until(lambda: any("spam" in m.content for m in guild.world.shown()))
    assert f"discord:{ANN}" in await operate("unblock")
    assert (await guild.clip(await guild.t2v())).videos
    assert {entry.verb for entry in await guild.core.community.audit.entries()} == {
        "grant",
        "block",
        "unblock",
    }


async def test_admin_verbs_land_in_the_audit_log(guild) -> None:
    await guild.server.command("admin drain", OP, guild.channel)
    await guild.refusal()
    await guild.server.command("admin audit", OP, guild.channel)

    await guild.world.until(lambda: any(f"discord:{OP}" in m.content for m in guild.world.shown()))
    entry = (await guild.core.community.audit.entries())[0]
    assert (entry.verb, entry.target) == ("intake", "draining")


async def test_a_file_that_is_gone_is_refused_with_a_reason(guild) -> None:
    file = guild.file("image")
    guild.world.uploads.clear()

    await guild.server.command("i2v", ANN, guild.channel, {"image": file}, prompt="x")

    assert "could not be read" in await guild.refusal()
