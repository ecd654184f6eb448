"""Content Credentials: what a signed clip says, and certificates that cannot sign."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.domain.media import RawClip
from core.domain.modes import Mode
from core.domain.presets import Preset
from core.domain.requests import Sampling
from core.errors import SetupProblem
from core.media.output.clip_writer import write_clip
from core.media.output.credentials import (
    ContentCredentials,
    CredentialsExpired,
    CredentialsIncomplete,
    CredentialsMismatch,
    CredentialsUnusable,
)
from core.media.output.provenance import AI_MADE, PROGRAM_MADE, Provenance, read_provenance
from core.media.output.seal import is_sealed
from core.runtime import file_names

SAMPLING = Sampling(Preset.FAST, 64, 64, 9, 24, seed=7)
ORIGIN = Provenance("a" * 32, Mode.T2V, SAMPLING, "a secret wish", {"executor": "comfy"})
RAW = RawClip(np.zeros((9, 64, 64, 3), np.uint8), 24, None, 0, {"executor": "comfy"})
NOW = datetime.now(UTC)
MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION


@dataclass(frozen=True)
class Authority:
    """Makes certificates, as an operator would order them."""

    folder: Path

    def name(self, common: str) -> x509.Name:
        own = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Studio of somebody")
        return x509.Name([own, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def issue(
        self,
        key: Any = None,
        days: tuple[int, int] = (-1, 30),
        usage: x509.ObjectIdentifier = MAIL,
    ) -> tuple[Path, Path]:
        """Write a certificate with the one that signed it, and its key."""
        root, key = ec.generate_private_key(ec.SECP256R1()), key or new_key()
        top = (
            self._begun("Authority", "Authority", root.public_key(), (-1, 30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .sign(root, hashes.SHA256())
        )
        own = (
            self._begun("Signer", "Authority", key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()),
                critical=False,
            )
            .sign(root, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        chain, secret = self.folder / "chain.pem", self.folder / "key.pem"
        chain.write_bytes(own.public_bytes(pem) + top.public_bytes(pem))
        secret.write_bytes(in_pem(key))
        return chain, secret

    def _begun(
        self, common: str, issuer: str, key: Any, days: tuple[int, int]
    ) -> x509.CertificateBuilder:
        begins, ends = (NOW + timedelta(days=number) for number in days)
        return (
            x509.CertificateBuilder()
            .subject_name(self.name(common))
            .issuer_name(self.name(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _usage(*, signs: bool) -> x509.KeyUsage:
    rest = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    never = dict.fromkeys((*rest, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(
        digital_signature=signs, key_cert_sign=not signs, crl_sign=not signs, **never
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def in_pem(key: Any, password: bytes = b"") -> bytes:
    shut: Any = serialization.NoEncryption()
    if password:
        shut = serialization.BestAvailableEncryption(password)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, shut)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def told(clip: Path) -> tuple[dict[str, Any], set[str]]:
    """Return what a reader of C2PA finds in ``clip``, and what it holds against it."""
    with c2pa.Reader(str(clip)) as reader:
        found = json.loads(reader.json())
    codes = {one["code"] for one in found.get("validation_status", [])}
    # nobody has heard of the authority of this test
    return found["manifests"][found["active_manifest"]], codes - {"signingCredential.untrusted"}


def action_of(manifest: dict[str, Any]) -> dict[str, Any]:
    actions = next(one for one in manifest["assertions"] if one["label"] == "c2pa.actions.v2")
    return actions["data"]["actions"][0]


@pytest.mark.parametrize(
    "key",
    [
        new_key,
        lambda: ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate,
        lambda: rsa.generate_private_key(65537, 2048),
    ],
    ids=["p256", "p384", "ed25519", "rsa"],
)
async def test_signed_clip_says_what_made_it_whatever_the_key(
    authority: Authority, tmp_path: Path, key: Callable[[], Any]
) -> None:
    credentials = ContentCredentials.open(*authority.issue(key()))

    clip = await write_clip(RAW, tmp_path, ORIGIN, credentials=credentials)

    manifest, against = told(clip.path)
    action = action_of(manifest)
    assert against == set()
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.created", AI_MADE)
    assert manifest["claim_generator_info"][0]["name"] == "Clapper"
    assert manifest["signature_info"]["issuer"] == "Studio of somebody"


async def test_draft_is_not_said_to_be_of_a_model(authority: Authority, tmp_path: Path) -> None:
    credentials = ContentCredentials.open(*authority.issue())
    raw = replace(RAW, notes={"executor": "draft"})

    clip = await write_clip(raw, tmp_path, ORIGIN, credentials=credentials)

    manifest, _ = told(clip.path)
    assert action_of(manifest)["digitalSourceType"] == PROGRAM_MADE


async def test_signed_clip_is_sealed_and_tells_its_provenance(
    authority: Authority, tmp_path: Path
) -> None:
    silent = replace(ORIGIN, prompt="")
    clip = await write_clip(
        RAW, tmp_path, silent, credentials=ContentCredentials.open(*authority.issue())
    )

    assert is_sealed(clip.path)
    assert read_provenance(clip.path) == silent
    assert b"wish" not in clip.path.read_bytes()
    left = sorted(path.suffix for path in tmp_path.iterdir())  # noqa: ASYNC240  # four files
    assert left == [".mp4", ".pem", ".pem", ".png"]


async def test_what_a_crash_leaves_of_signing_is_known_as_unfinished(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else removes it: whatever has another name may be a person's."""
    folder = tmp_path / "clips"
    folder.mkdir()
    signing = ContentCredentials.open(*authority.issue())
    seen: list[str] = []
    sign = c2pa.Builder.sign

    def look(*arguments: Any) -> Any:
        seen.extend(path.name for path in folder.iterdir())
        return sign(*arguments)

    monkeypatch.setattr(c2pa.Builder, "sign", look)
    clip = await write_clip(RAW, folder, ORIGIN, credentials=signing)

    unfinished = [name for name in seen if name != clip.poster.name]
    assert len(unfinished) == 2  # the clip, and the signed one
    assert all(file_names.PART.fullmatch(name) for name in unfinished)


async def test_change_of_a_signed_clip_is_found(authority: Authority, tmp_path: Path) -> None:
    clip = await write_clip(
        RAW, tmp_path, ORIGIN, credentials=ContentCredentials.open(*authority.issue())
    )
    content = bytearray(clip.path.read_bytes())
    place = content.rindex(b"mdat") + 40
    content[place] ^= 1
    clip.path.write_bytes(content)

    assert "assertion.bmffHash.mismatch" in told(clip.path)[1]


def test_nothing_is_signed_where_nothing_is_set() -> None:
    assert ContentCredentials.open(None, None) is None


@pytest.mark.parametrize(("kept", "missing"), [(0, "CLAPPER_C2PA_KEY"), (1, "CLAPPER_C2PA_CERT")])
def test_half_of_the_pair_names_the_other(authority: Authority, kept: int, missing: str) -> None:
    pair = [path if place == kept else None for place, path in enumerate(authority.issue())]

    with pytest.raises(CredentialsIncomplete) as refused:
        ContentCredentials.open(*pair)

    assert refused.value.missing.startswith(missing)


def another_key(chain: Path, key: Path) -> None:
    key.write_bytes(in_pem(new_key()))


def no_certificate(chain: Path, key: Path) -> None:
    chain.unlink()


def no_key(chain: Path, key: Path) -> None:
    key.unlink()


def two_keys(chain: Path, key: Path) -> None:
    chain.write_bytes(key.read_bytes())


def two_certificates(chain: Path, key: Path) -> None:
    key.write_bytes(chain.read_bytes())


def locked_key(chain: Path, key: Path) -> None:
    secret: Any = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(in_pem(secret, b"password"))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (another_key, CredentialsMismatch),
        (locked_key, CredentialsUnusable),
        (no_certificate, CredentialsUnusable),
        (no_key, CredentialsUnusable),
        (two_keys, CredentialsUnusable),
        (two_certificates, CredentialsUnusable),
    ],
)
def test_files_that_cannot_sign_are_refused_before_any_clip(
    authority: Authority, spoil: Callable[[Path, Path], object], problem: type[SetupProblem]
) -> None:
    chain, key = authority.issue()
    spoil(chain, key)

    with pytest.raises(problem):
        ContentCredentials.open(chain, key)


@pytest.mark.parametrize("days", [(-30, -1), (1, 30)], ids=["over", "not begun"])
def test_certificate_that_is_not_valid_today_is_refused(
    authority: Authority, days: tuple[int, int]
) -> None:
    with pytest.raises(CredentialsExpired) as refused:
        ContentCredentials.open(*authority.issue(days=days))

    assert refused.value.ends == (NOW + timedelta(days=days[1])).date().isoformat()


def test_certificate_of_a_web_server_may_not_sign(authority: Authority) -> None:
    with pytest.raises(CredentialsUnusable):
        ContentCredentials.open(*authority.issue(usage=ExtendedKeyUsageOID.SERVER_AUTH))
