"""The doctor's looks at the gate: the certificate of a front, and the way there of a worker."""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterator

from pydantic import SecretStr

from core.cli.findings import DoctorFinding, Severity
from core.errors import ClapperError
from core.errors.gate import GateUnreachable
from core.gate.client import GateClient
from core.gate.connection import UNTRUSTED
from core.i18n.messages import explain, say
from core.settings import Settings
from core.settings.gate import GateSettings


def look_at_gate(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether the gate can be opened here, or reached from here."""
    gate = settings.gate
    if gate.port is not None:
        yield from _certificate(gate)
    if gate.url:
        yield asyncio.run(_reached(gate))


def _certificate(gate: GateSettings) -> Iterator[DoctorFinding]:
    what = say("doctor_gate")
    if gate.certificate is None and gate.certificate_key is None:
        if not _is_loopback(gate.host):
            fix = say("doctor_gate_open_fix")
            yield DoctorFinding(
                what, Severity.NOTE, say("doctor_gate_open", {"host": gate.host}), fix
            )
        return
    reason = _refusal(gate)
    if reason:
        facts = {"path": gate.certificate or gate.certificate_key, "reason": reason}
        detail, fix = say("doctor_gate_certificate", facts), say("doctor_gate_certificate_fix")
        yield DoctorFinding(what, Severity.BAD, detail, fix)
    else:
        yield DoctorFinding(what, Severity.GOOD, say("doctor_gate_certificate_good"))


def _refusal(gate: GateSettings) -> str:
    """Return why the certificate cannot be used; empty where it can."""
    if gate.certificate is None:
        return "CLAPPER_GATE_CERTIFICATE"
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # a key with a password would be asked for at a terminal
        context.load_cert_chain(gate.certificate, gate.certificate_key, lambda: "")
    except OSError as error:  # ssl.SSLError is one
        return str(error.strerror or error)
    return ""


async def _reached(gate: GateSettings) -> DoctorFinding:
    what, facts = say("doctor_gate"), {"address": gate.url}
    try:
        client = GateClient(gate.url, gate.token or SecretStr(""), authority=gate.authority)
        async with client:
            await client.greet()
    except GateUnreachable as problem:
        untrusted = problem.detail == UNTRUSTED
        detail = say("doctor_gate_untrusted" if untrusted else "doctor_gate_unreachable", facts)
        fix = say("doctor_gate_untrusted_fix") if untrusted else say("doctor_gate_unreachable_fix")
        return DoctorFinding(what, Severity.BAD, detail, fix)
    except ClapperError as problem:
        return DoctorFinding(what, Severity.BAD, explain(problem))
    return DoctorFinding(what, Severity.GOOD, say("doctor_gate_good", facts))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
