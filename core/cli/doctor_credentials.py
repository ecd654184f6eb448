"""The doctor's look at what finished clips are signed with."""

from collections.abc import Iterator

from core.cli.findings import DoctorFinding, Severity
from core.errors import SetupProblem
from core.i18n.messages import explain, say
from core.media.output.credentials import ContentCredentials
from core.settings import Settings


def look_at_credentials(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether clips can be signed, where they are to be."""
    what, chosen = "C2PA", settings.credentials
    try:
        found = ContentCredentials.open(chosen.certificate, chosen.key)
    except SetupProblem as problem:
        yield DoctorFinding(what, Severity.BAD, explain(problem))
        return
    if found is not None:
        yield DoctorFinding(what, Severity.GOOD, say("doctor_credentials_good"))
