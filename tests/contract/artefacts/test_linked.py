"""A node without a key of the bucket does what others sign for it, and nothing else."""

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from core.artefacts.cache import NodeCache
from core.artefacts.linked import LinkedArtefacts, wish_to_put
from core.artefacts.links import LINK_S, BucketPlace, LinkWish
from core.artefacts.presign import Signature, UrlSigner
from core.errors.artefacts import ArtefactGone, ArtefactsUnavailable
from core.interfaces.artefacts import Artefacts
from core.runtime.clock import now_ms
from tests.contract.artefacts.conftest import MakeNode
from tests.contract.artefacts.test_artefacts import BYTES, CLIP, INPUT, POSTER
from tests.support.s3_server import BUCKET, KEY_ID, SECRET, S3Server, breaking

PREFIX = "linked"


@dataclass
class Signing:
    """Signs as a front does, what a test lets it."""

    signer: UrlSigner
    place: BucketPlace
    refused: set[str] = field(default_factory=set[str])
    at_ms: int | None = None
    asked: list[LinkWish] = field(default_factory=list[LinkWish])

    async def sign(self, wish: LinkWish) -> Signature | None:
        self.asked.append(wish)
        if wish.name in self.refused:
            return None
        at_ms = self.at_ms or now_ms()
        return self.signer.signature(self.place.request(wish), LINK_S, at_ms)


def signing_at(endpoint: str, bucket: str = BUCKET) -> Signing:
    place = BucketPlace(f"s3://{bucket}/{PREFIX}", endpoint, bucket, PREFIX)
    return Signing(UrlSigner(endpoint, bucket, "us-east-1", KEY_ID, SecretStr(SECRET)), place)


@pytest.fixture
def signing(s3: S3Server) -> Signing:
    return signing_at(s3.endpoint)


@pytest.fixture
def linked(signing: Signing, tmp_path: Path) -> LinkedArtefacts:
    return LinkedArtefacts(signing.place, NodeCache(tmp_path / "node", 10**9), signing, 0.01)


@pytest.fixture
async def front(node_of: MakeNode) -> Artefacts:
    return (await node_of(prefix=PREFIX)).artefacts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made"
    path.write_bytes(BYTES)
    return path


async def test_an_input_is_read_once_and_kept(
    linked: LinkedArtefacts, signing: Signing, front: Artefacts, file: Path
) -> None:
    await front.put(INPUT, file)

    paths = await asyncio.gather(*(linked.local(INPUT) for _ in range(3)))

    assert {path.read_bytes() for path in paths} == {BYTES}
    assert signing.asked == [LinkWish(INPUT)]


@pytest.mark.parametrize("name", [CLIP, POSTER])
async def test_a_clip_that_was_brought_is_what_fronts_read(
    linked: LinkedArtefacts, front: Artefacts, file: Path, name: str
) -> None:
    await linked.put(name, file)

    assert (await front.local(name, hashlib.sha256(BYTES).hexdigest())).read_bytes() == BYTES


async def test_what_is_refused_is_neither_read_nor_written(
    linked: LinkedArtefacts, signing: Signing, front: Artefacts, file: Path, s3: S3Server
) -> None:
    other = CLIP.replace("89abcdef", "00000000")
    signing.refused |= {INPUT, other}
    await front.put(INPUT, file)

    with pytest.raises(ArtefactGone):
        await linked.local(INPUT)
    with pytest.raises(ArtefactsUnavailable) as refused:
        await linked.put(other, file)

    assert refused.value.reason == "link_refused"
    assert other not in s3.names(PREFIX)


async def test_a_signature_takes_the_one_content_that_it_is_for(
    signing: Signing, file: Path, s3: S3Server
) -> None:
    name = CLIP.replace("89abcdef", "11111111")
    wish = wish_to_put(name, file)
    asked = signing.place.request(wish)
    signature = await signing.sign(wish)
    assert signature is not None
    address = asked.address(signature)

    async with httpx2.AsyncClient(trust_env=False) as client:
        changed = await client.put(address, content=BYTES[:-1] + b"!", headers=asked.headers)
        unsaid = await client.put(address, content=BYTES)
        reading = await client.get(address)
        elsewhere = await client.put(
            address.replace(name, POSTER), content=BYTES, headers=asked.headers
        )
        right = await client.put(address, content=BYTES, headers=asked.headers)

    assert [answer.is_success for answer in (changed, unsaid, reading, elsewhere)] == [False] * 4
    assert right.is_success
    assert (s3.folder / PREFIX / name).read_bytes() == BYTES


async def test_a_signature_to_read_writes_nothing(
    signing: Signing, front: Artefacts, file: Path
) -> None:
    await front.put(INPUT, file)
    wish = LinkWish(INPUT)
    signature = await signing.sign(wish)
    assert signature is not None
    address = signing.place.request(wish).address(signature)

    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(address)).content == BYTES
        assert not (await client.put(address, content=b"x")).is_success
        assert not (await client.delete(address)).is_success
        assert not (await client.get(address.replace(INPUT, CLIP))).is_success


async def test_a_signature_ends(linked: LinkedArtefacts, signing: Signing, file: Path) -> None:
    signing.at_ms = now_ms() - (LINK_S + 60) * 1000

    with pytest.raises(ArtefactsUnavailable) as ended:
        await linked.put(CLIP.replace("89abcdef", "22222222"), file)

    assert ended.value.reason == "bucket_failing"
    assert len(signing.asked) > 1  # a new signature for each try


async def test_what_is_not_there_is_gone(linked: LinkedArtefacts) -> None:
    with pytest.raises(ArtefactGone):
        await linked.local(f"media/{'0' * 64}.png")


async def test_a_bucket_that_is_not_there_is_no_gone_input(s3: S3Server, tmp_path: Path) -> None:
    absent = signing_at(s3.endpoint, "nowhere")
    linked = LinkedArtefacts(absent.place, NodeCache(tmp_path / "node", 10**9), absent, 0.01)

    with pytest.raises(ArtefactsUnavailable) as unknown:
        await linked.local(INPUT)

    assert unknown.value.reason == "bucket_unknown"


async def test_other_bytes_than_the_name_says_are_never_given_out(
    linked: LinkedArtefacts, front: Artefacts, file: Path, tmp_path: Path
) -> None:
    name = f"media/{'1' * 64}.png"
    await front.put(name, file)

    with pytest.raises(ArtefactsUnavailable) as damaged:
        await linked.local(name)

    assert damaged.value.reason == "artefact_damaged"
    assert list((tmp_path / "node" / "media").iterdir()) == []


async def test_a_connection_that_is_cut_is_tried_again(
    s3: S3Server, front: Artefacts, file: Path, tmp_path: Path
) -> None:
    await front.put(INPUT, file)
    async with breaking(s3) as (broken, line):
        signing = signing_at(broken.endpoint)
        linked = LinkedArtefacts(signing.place, NodeCache(tmp_path / "n", 10**9), signing, 0.01)
        line.cuts, line.after_bytes = 2, 100_000

        assert (await linked.local(INPUT)).read_bytes() == BYTES


async def test_a_server_that_answers_nobody_is_unreachable(tmp_path: Path, file: Path) -> None:
    signing = signing_at("http://127.0.0.1:9")
    linked = LinkedArtefacts(signing.place, NodeCache(tmp_path / "n", 10**9), signing, 0.01)

    with pytest.raises(ArtefactsUnavailable) as away:
        await linked.put(CLIP, file)

    assert away.value.reason == "bucket_unreachable"


async def test_nothing_is_listed_and_nothing_deleted_in_the_bucket(
    linked: LinkedArtefacts, front: Artefacts, file: Path
) -> None:
    name = CLIP.replace("89abcdef", "33333333")
    await linked.put(name, file)

    await linked.delete(name)

    assert await linked.older(now_ms()) == []
    assert await linked.url(name, 60) is None
    assert (await front.local(name)).exists()


def test_a_place_says_the_same_on_both_sides() -> None:
    place = BucketPlace("s3://b/p", "https://s3.example", "b", "p")
    assert replace(place, prefix="").request(LinkWish(INPUT)).path == f"/b/{INPUT}"
    assert place.request(LinkWish(INPUT)).path == f"/b/p/{INPUT}"
