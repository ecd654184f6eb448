"""What holds wherever clips and inputs are kept, and what a bucket adds."""

import asyncio
import hashlib
import os
import random
import time
from pathlib import Path

import httpx2
import obstore
import pytest

from core.artefacts.opening import examine_bucket, open_artefacts, open_store
from core.errors.artefacts import (
    ArtefactGone,
    ArtefactsUnavailable,
    BucketForeign,
    BucketKeysMissing,
    BucketKeysRefused,
    BucketUnknown,
    BucketUnreachable,
)
from core.i18n.messages import explain
from tests.contract.artefacts.conftest import OWNER, MakeNode, Node, named, settings_for
from tests.support.s3_server import SECRET, S3Server, breaking

JOB = "0123456789abcdef" * 2
CLIP, POSTER = f"clips/{JOB}.89abcdef.mp4", f"clips/{JOB}.89abcdef.png"
BYTES = random.Random(7).randbytes(300_000)  # the same in every worker: it names tests
INPUT = f"media/{hashlib.sha256(BYTES).hexdigest()}.png"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made"
    path.write_bytes(BYTES)
    return path


@pytest.mark.parametrize("name", [CLIP, POSTER, INPUT])
async def test_what_was_put_is_found_under_its_name(node: Node, file: Path, name: str) -> None:
    await node.artefacts.put(name, file)

    assert (await node.artefacts.local(name)).read_bytes() == BYTES
    assert await node.artefacts.local(name) == node.data_dir / name


async def test_a_name_is_never_written_to_again(node: Node, file: Path, tmp_path: Path) -> None:
    await node.artefacts.put(INPUT, file)
    await node.artefacts.put(INPUT, file)

    assert await node.artefacts.older(time.time() + 60) == [INPUT]


async def test_what_is_not_there_is_gone_and_may_be_deleted_again(node: Node, file: Path) -> None:
    await node.artefacts.put(CLIP, file)
    await node.artefacts.delete(CLIP)
    await node.artefacts.delete(CLIP)

    with pytest.raises(ArtefactGone):
        await node.artefacts.local(CLIP)
    assert await node.artefacts.older(time.time() + 60) == []


async def test_only_what_is_old_is_listed_and_no_other_files(node: Node, file: Path) -> None:
    await node.artefacts.put(CLIP, file)
    await node.artefacts.put(INPUT, file)

    assert await node.artefacts.older(time.time() - 3600) == []
    assert sorted(await node.artefacts.older(time.time() + 60)) == sorted([CLIP, INPUT])


@pytest.mark.parametrize(
    "name",
    ["clips/../../etc/passwd", "/etc/passwd", "clips/holiday.mp4", "media/x.png", ".clapper",
     "fitted/a.mp4", f"clips/{JOB}.mp4/../x", f"clips/{JOB}.mp4\n", f"other/{JOB}.mp4", ""],
)  # fmt: skip
async def test_names_that_are_not_ours_are_refused(node: Node, file: Path, name: str) -> None:
    for call in (
        node.artefacts.put(name, file),
        node.artefacts.local(name),
        node.artefacts.delete(name),
    ):
        with pytest.raises(ValueError, match="is no artefact"):
            await call


async def test_a_folder_keeps_what_lies_in_its_place_as_it_is(tmp_path: Path) -> None:
    settings = settings_for_folder(tmp_path)
    artefacts = await open_artefacts(settings, lambda: named(OWNER))
    place = tmp_path / "data" / CLIP
    place.parent.mkdir(parents=True)
    place.write_bytes(BYTES)
    before = place.stat()

    await artefacts.put(CLIP, place)

    assert await artefacts.local(CLIP) == place
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert await artefacts.url(CLIP, 600) is None


def settings_for_folder(tmp_path: Path):
    from core.settings import load_settings

    return load_settings(data_dir=tmp_path / "data")


async def test_another_node_fetches_what_one_put(node_of: MakeNode, file: Path) -> None:
    one, other = await node_of(), await node_of()
    await one.artefacts.put(CLIP, file)

    found = await asyncio.gather(*(other.artefacts.local(CLIP) for _ in range(5)))

    assert set(found) == {other.data_dir / CLIP}
    assert found[0].read_bytes() == BYTES
    assert [path.name for path in found[0].parent.iterdir()] == [found[0].name]  # no part files


async def test_a_large_file_goes_and_comes_in_pieces(node_of: MakeNode, tmp_path: Path) -> None:
    one, other = await node_of(), await node_of()
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1 << 20) * 12)
    await one.artefacts.put(CLIP, path)

    assert (await other.artefacts.local(CLIP)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", [CLIP, INPUT])
async def test_other_bytes_than_were_stored_are_never_given_out(
    node_of: MakeNode, s3: S3Server, file: Path, name: str
) -> None:
    one, other = await node_of(), await node_of()
    await one.artefacts.put(name, file)
    (s3.folder / one.prefix / name).write_bytes(BYTES[:-1] + b"x")

    with pytest.raises(ArtefactsUnavailable) as refused:
        await other.artefacts.local(name, hashlib.sha256(BYTES).hexdigest())

    assert refused.value.reason == "artefact_damaged"
    assert [path.name for path in (other.data_dir / name).parent.iterdir()] == []


async def test_a_connection_that_is_cut_is_tried_again(
    node_of: MakeNode, s3: S3Server, file: Path
) -> None:
    one = await node_of()
    await one.artefacts.put(CLIP, file)
    async with breaking(s3) as (server, line):
        other = await node_of(server)
        line.cuts, line.after_bytes = 2, 100_000

        assert (await other.artefacts.local(CLIP)).read_bytes() == BYTES
        assert line.cuts <= 0


async def test_a_connection_that_is_always_cut_leaves_nothing(
    node_of: MakeNode, s3: S3Server, file: Path
) -> None:
    one = await node_of()
    await one.artefacts.put(CLIP, file)
    async with breaking(s3) as (server, line):
        other = await node_of(server)
        line.cuts, line.after_bytes = 10_000, 10_000
        other.artefacts._wait_s = 0.01

        with pytest.raises(ArtefactsUnavailable) as refused:
            await other.artefacts.local(CLIP)

    assert refused.value.reason == "bucket_unreachable"
    assert list((other.data_dir / CLIP).parent.iterdir()) == []


async def test_a_server_that_answers_nobody_is_told_as_unreachable(
    node_of: MakeNode, file: Path, tmp_path: Path
) -> None:
    nowhere = S3Server("http://127.0.0.1:9", tmp_path)
    with pytest.raises(BucketUnreachable) as refused:
        await asyncio.to_thread(examine_bucket, settings_for(nowhere, tmp_path, "x").artefacts)

    assert "http://127.0.0.1:9" in explain(refused.value)


async def test_a_wrong_secret_is_refused_and_never_shown(
    node_of: MakeNode, s3: S3Server, tmp_path: Path
) -> None:
    with pytest.raises(BucketKeysRefused) as refused:
        await node_of(s3_secret_access_key="another-secret")
    with pytest.raises(BucketKeysRefused):
        await node_of(s3_access_key_id="nobody-knows")

    for text in (str(refused.value), repr(refused.value), explain(refused.value)):
        assert "another-secret" not in text
        assert SECRET not in text


async def test_a_bucket_that_does_not_exist_is_told_so(node_of: MakeNode) -> None:
    with pytest.raises(BucketUnknown) as refused:
        await node_of(artefacts="s3://nowhere-here/x")

    assert "s3://nowhere-here/x" in explain(refused.value, "de")


async def test_a_bucket_without_keys_names_the_variables(node_of: MakeNode) -> None:
    with pytest.raises(BucketKeysMissing) as refused:
        await node_of(s3_secret_access_key="")

    assert "CLAPPER_S3_SECRET_ACCESS_KEY" in explain(refused.value)
    assert "CLAPPER_S3_ACCESS_KEY_ID" not in explain(refused.value)


async def test_a_bucket_of_another_clapper_is_told_and_not_touched(
    node_of: MakeNode, s3: S3Server, file: Path
) -> None:
    one = await node_of()
    await one.artefacts.put(CLIP, file)
    before = s3.names(one.prefix)

    with pytest.raises(BucketForeign):
        await node_of(owner="b" * 32)

    assert s3.names(one.prefix) == before


async def test_a_prefix_with_strange_objects_is_not_taken(node_of: MakeNode, s3: S3Server) -> None:
    store = open_store(settings_for(s3, s3.folder, "photos").artefacts)
    await obstore.put_async(store, "holiday.jpg", b"x")

    with pytest.raises(BucketForeign) as refused:
        await node_of(prefix="photos")

    assert "holiday.jpg" in explain(refused.value)
    assert s3.names("photos") == {"holiday.jpg"}


async def test_a_bucket_that_became_anothers_is_never_listed_for_a_sweep(
    node_of: MakeNode, s3: S3Server, file: Path
) -> None:
    one = await node_of()
    await one.artefacts.put(CLIP, file)
    store = open_store(settings_for(s3, s3.folder, one.prefix).artefacts)
    other = b"artefacts of clapper, of the database\n" + b"b" * 32
    await obstore.put_async(store, ".clapper", other)

    with pytest.raises(ArtefactsUnavailable) as refused:
        await one.artefacts.older(time.time() + 60)

    assert refused.value.reason == "bucket_foreign"


async def test_the_doctor_reads_and_writes_and_leaves_nothing(
    node_of: MakeNode, s3: S3Server, tmp_path: Path
) -> None:
    fresh = settings_for(s3, tmp_path, "not-used-yet").artefacts
    one = await node_of()
    used = settings_for(s3, tmp_path, one.prefix).artefacts

    assert await asyncio.to_thread(examine_bucket, fresh) is None
    assert await asyncio.to_thread(examine_bucket, used) == OWNER
    assert s3.names("not-used-yet") == set()
    assert s3.names(one.prefix) == {".clapper"}


async def test_a_signed_address_reads_one_object_for_a_while_and_no_other(
    node_of: MakeNode, file: Path
) -> None:
    one = await node_of(s3_public=True)
    await one.artefacts.put(CLIP, file)
    address = await one.artefacts.url(CLIP, 600, "clapper-01234567.mp4")
    assert address is not None

    async with httpx2.AsyncClient() as client:
        right = await client.get(address)
        ranged = await client.get(address, headers={"Range": "bytes=0-99"})
        other = await client.get(address.replace("89abcdef.mp4", "89abcdef.png"))
        renamed = await client.get(address.replace("clapper-0", "clapper-9"))
        written = await client.put(address, content=b"x")

    assert right.content == BYTES
    assert ranged.content in (BYTES[:100], BYTES)  # rclone answers a range with everything
    assert [other.status_code, renamed.status_code, written.status_code] == [403, 403, 403]
    assert SECRET not in address
    assert "X-Amz-Expires=600" in address


async def test_a_signed_address_ends(node_of: MakeNode, file: Path) -> None:
    one = await node_of(s3_public=True)
    await one.artefacts.put(CLIP, file)
    signer = one.artefacts._signer
    past = round((time.time() - 700) * 1000)

    async with httpx2.AsyncClient() as client:
        answer = await client.get(signer.sign(f"{one.prefix}/{CLIP}", 600, "video/mp4", "", past))

    assert answer.status_code in {400, 403}  # of the server; S3 itself says 403


async def test_there_is_no_address_unless_browsers_reach_the_bucket(
    node_of: MakeNode, file: Path
) -> None:
    one = await node_of()
    await one.artefacts.put(CLIP, file)

    assert await one.artefacts.url(CLIP, 600) is None


@pytest.mark.parametrize("name", ['a".mp4', "a\r\nSet-Cookie: x", "ä.mp4", "../x", "a;b", " a"])
async def test_a_name_that_could_break_a_header_is_never_signed(
    node_of: MakeNode, name: str
) -> None:
    one = await node_of(s3_public=True)

    with pytest.raises(ValueError, match="header"):
        await one.artefacts.url(CLIP, 600, name)
