"""The gate with a certificate of its own, and workers that trust who signed it and nobody else."""

import datetime
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from core.app.bootstrap import open_core
from core.app.core import Core
from core.app.front_gate import front_gate
from core.app.gate_worker import open_gate_worker
from core.app.preflight import check_ports
from core.cli.doctor_gate import look_at_gate
from core.domain.jobs import JobState, ReplyTo
from core.domain.people import Requester
from core.errors.gate import GateUnreachable
from core.errors.setup import BadConfiguration
from core.gate.client import GateClient
from core.gate.nodes import GateNodes
from core.settings import Settings
from core.testing.doubles import QuickExecutor, RecordingDelivery, t2v
from core.testing.jobs import submit_request
from tests.conftest import settings_in
from tests.support.settings import changed

ANN = Requester("test", "ann")


@dataclass(frozen=True)
class Authority:
    """Who signs certificates, and its own one as a file."""

    key: ec.EllipticCurvePrivateKey
    own: x509.Certificate
    file: Path

    def sign(self, folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
        """Write a certificate for ``host`` and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        made = _certificate("gate", key, self.own.subject).add_extension(names, critical=False)
        certificate, secret = folder / "gate.pem", folder / "gate.key"
        certificate.write_bytes(_pem(made.sign(self.key, hashes.SHA256())))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, secret


def authority(folder: Path, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        _certificate(name, key, subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(_pem(made))
    return Authority(key, made, file)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return authority(tmp_path, "ours")


@asynccontextmanager
async def gate(
    settings: Settings, ours: Authority, folder: Path
) -> AsyncGenerator[tuple[Core, str]]:
    certificate, key = ours.sign(folder)
    encrypted = changed(
        settings, gate_port=0, gate_certificate=certificate, gate_certificate_key=key
    )
    async with open_core(encrypted, QuickExecutor()) as core, front_gate(core) as port:
        core.submission.close(closed=False)
        yield core, f"https://127.0.0.1:{port}"


async def test_a_worker_that_trusts_our_authority_makes_a_clip(
    settings: Settings, ours: Authority, tmp_path: Path, delivery: RecordingDelivery
) -> None:
    import asyncio

    async with gate(settings, ours, tmp_path) as (core, address), asyncio.timeout(60):
        core.router.register(delivery)
        stop = asyncio.Event()
        routing = asyncio.create_task(core.router.run(stop))
        token = await GateNodes(core.database).admit("rented")
        rented = changed(
            settings_in(tmp_path / "rented"),
            gate_url=address,
            gate_token=token,
            gate_authority=ours.file,
        )
        ticket = await submit_request(core, t2v(), ANN, ReplyTo("test"), "one")
        async with open_gate_worker(rented, QuickExecutor()) as (worker, driver):
            work = asyncio.create_task(driver.run(worker, stop))
            await delivery.until(1)
            stop.set()
            await work
        await routing
        assert (await core.jobs.get(ticket.job_id)).state is JobState.SUCCEEDED


@pytest.mark.parametrize("trusts", ["the system", "another authority"])
async def test_a_certificate_of_somebody_else_is_not_trusted(
    settings: Settings, ours: Authority, tmp_path: Path, trusts: str
) -> None:
    other = None if trusts == "the system" else authority(tmp_path, "other").file
    async with gate(settings, ours, tmp_path) as (core, address):
        token = SecretStr(await GateNodes(core.database).admit("rented"))
        async with GateClient(address, token, authority=other) as client:
            with pytest.raises(GateUnreachable) as refused:
                await client.greet()
        assert refused.value.detail == "certificate"
        async with GateClient(address, token, authority=ours.file) as client:
            await client.greet()


def test_an_authority_that_is_no_certificate_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nothing")

    for path in (tmp_path / "no.pem", tmp_path / "absent.pem"):
        with pytest.raises(BadConfiguration) as refused:
            GateClient("https://gate.example", SecretStr("t"), authority=path)
        assert refused.value.setting == "CLAPPER_GATE_AUTHORITY"


def test_the_doctor_tells_a_certificate_that_can_be_used_from_others(
    settings: Settings, ours: Authority, tmp_path: Path
) -> None:
    certificate, key = ours.sign(tmp_path)
    (tmp_path / "broken.pem").write_text("nothing")

    def health(**more: object) -> list[str]:
        looked = look_at_gate(changed(settings, gate_port=8460, **more))
        return [finding.health.value for finding in looked]

    assert health(gate_certificate=certificate, gate_certificate_key=key) == ["good"]
    assert health(gate_certificate=tmp_path / "broken.pem") == ["bad"]
    assert health(gate_certificate=tmp_path / "absent.pem", gate_certificate_key=key) == ["bad"]
    assert health(gate_certificate=certificate, gate_certificate_key=ours.file) == ["bad"]
    assert health(gate_certificate_key=key) == ["bad"]
    assert health() == []
    assert health(gate_host="0.0.0.0") == ["note"]
    assert list(look_at_gate(settings)) == []


async def test_the_doctor_of_a_worker_tells_why_the_gate_is_not_reached(
    settings: Settings, ours: Authority, tmp_path: Path
) -> None:
    import asyncio

    async def told(address: str, token: str, authority: Path | None) -> str:
        rented = changed(
            settings_in(tmp_path), gate_url=address, gate_token=token, gate_authority=authority
        )
        [finding] = await asyncio.to_thread(lambda: list(look_at_gate(rented)))
        return f"{finding.health.value}: {finding.detail}"

    async with gate(settings, ours, tmp_path) as (core, address):
        token = await GateNodes(core.database).admit("rented")
        assert (await told(address, token, ours.file)).startswith("good")
        assert "trusts" in await told(address, token, None)
        assert "token" in await told(address, "clapper-node-" + "a" * 43, ours.file)
    assert "Nobody answers" in await told(address, token, ours.file)


def test_a_taken_port_of_the_gate_is_told_before_the_start(settings: Settings) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        [finding] = [
            one for one in check_ports(changed(settings, gate_port=port), []) if one.health == "bad"
        ]
    assert str(port) in finding.detail
    assert "CLAPPER_GATE_PORT" in finding.fix
