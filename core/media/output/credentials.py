"""Content Credentials (C2PA) of a finished clip: what made it, signed with the operator's key.

Viewers and platforms that read C2PA show it, and whether the file was changed since. It says no
more than the provenance does, and no words of a person. The library is imported where somebody
signs: most installations do not.
"""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from PIL import Image

from core import __version__
from core.errors import SetupProblem
from core.media.output.provenance import PROGRAM_MADE, Provenance
from core.runtime.atomic_files import part_beside
from core.runtime.extras import install_extra

_MP4, _PNG = "video/mp4", "image/png"
# C2PA 2.2, 13.2.1: the algorithms that a claim may be signed with, by the curve of the key
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


class CredentialsIncomplete(SetupProblem):
    """Of the certificate and its key, one is not set."""

    missing: str  # the variable


class CredentialsLibraryMissing(SetupProblem):
    """Clips are to be signed, and the library for that is not installed."""

    command: str


class CredentialsUnusable(SetupProblem):
    """The certificate or its key cannot sign."""

    path: str
    detail: str


class CredentialsMismatch(SetupProblem):
    """The key is not that of the first certificate."""

    path: str


class CredentialsExpired(SetupProblem):
    """The certificate is not valid at this time."""

    path: str
    begins: str
    ends: str


class ContentCredentials:
    """Signs clips with one certificate."""

    def __init__(self, chain: bytes, key: bytes, algorithm: str) -> None:
        """Take the certificates and the key, PEM, and the algorithm by C2PA's name."""
        self._chain, self._key, self._algorithm = chain, key, algorithm

    @classmethod
    def open(cls, certificate: Path | None, key: Path | None) -> Self | None:
        """Read the certificate and its key, and sign a picture that nobody sees with them.

        Returns:
            None where neither is set.

        Raises:
            CredentialsIncomplete: one of the two is not set.
            CredentialsLibraryMissing: nothing is installed that signs.
            CredentialsExpired: the certificate is not valid any more, or not yet.
            CredentialsMismatch: they do not belong together.
            CredentialsUnusable: they cannot be read, or may not sign.
        """
        if certificate is None and key is None:
            return None
        if certificate is None or key is None:
            absent = "CERTIFICATE" if certificate is None else "KEY"
            raise CredentialsIncomplete(f"CLAPPER_C2PA_{absent}")
        made = cls(*_read(certificate, key))
        made.try_out(certificate)
        return made

    def try_out(self, certificate: Path) -> None:
        """Sign a picture that nobody sees.

        Raises:
            CredentialsUnusable: ``certificate`` may not sign.
        """
        picture, signed = io.BytesIO(), io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "PNG")
        try:
            with self._signer() as signer, _builder(PROGRAM_MADE) as builder:
                builder.sign(signer, _PNG, picture, signed)
        except _c2pa().C2paError as error:
            raise CredentialsUnusable(str(certificate), str(error)) from None

    def sign(self, clip: Path, provenance: Provenance) -> None:
        """Sign the MP4 at ``clip``, which nobody else reads yet.

        Raises:
            OSError: the disk is full or failed.
        """
        signed = part_beside(clip)
        try:
            with (
                self._signer() as signer,
                _builder(provenance.source_type) as builder,
                clip.open("rb") as source,
                signed.open("w+b") as target,
            ):
                builder.sign(signer, _MP4, source, target)
            signed.replace(clip)
        finally:
            signed.unlink(missing_ok=True)

    def _signer(self) -> Any:  # noqa: ANN401  # of a library that may be absent
        library = _c2pa()
        info = library.C2paSignerInfo(self._algorithm, self._chain, self._key, None)
        return library.Signer.from_info(info)


def _builder(source_type: str) -> Any:  # noqa: ANN401  # of a library that may be absent
    """Begin a manifest: created by this program, in a way that IPTC has the word for."""
    program = {"name": "Clapper", "version": __version__}
    made = {"action": "c2pa.created", "digitalSourceType": source_type, "softwareAgent": program}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [made]}}
    manifest = {"claim_generator_info": [program], "assertions": [actions]}
    return _c2pa().Builder(json.dumps(manifest))


def _c2pa() -> Any:  # noqa: ANN401  # a library that may be absent
    try:
        import c2pa  # pyright: ignore[reportMissingTypeStubs]  # it has none
    except ImportError:
        raise CredentialsLibraryMissing(install_extra("c2pa")) from None
    return c2pa


def _read(certificate: Path, key: Path) -> tuple[bytes, bytes, str]:
    """Return the certificates, the key and its algorithm, which fit each other.

    Raises:
        CredentialsExpired: the certificate is not valid today.
        CredentialsMismatch: they do not belong together.
        CredentialsUnusable: they cannot be read.
    """
    _c2pa()  # what it brings is imported here
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    chain, secret = _bytes_of(certificate), _bytes_of(key)
    try:
        signer = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise CredentialsUnusable(str(certificate), str(error)) from None
    try:
        private: Any = load_pem_private_key(secret, password=None)
    except (ValueError, TypeError) as error:  # TypeError: it has a password
        raise CredentialsUnusable(str(key), str(error)) from None
    if private.public_key() != signer.public_key():
        raise CredentialsMismatch(str(key))
    begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
    if not begins <= datetime.now(UTC) <= ends:
        days = (moment.date().isoformat() for moment in (begins, ends))
        raise CredentialsExpired(str(certificate), *days)
    return chain, secret, _algorithm_of(private)


def _algorithm_of(private: Any) -> str:  # noqa: ANN401  # any of cryptography's keys
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return _CURVES.get(private.curve.name, "es256")
    return "ps256"


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsUnusable(str(path), error.strerror or str(error)) from None
