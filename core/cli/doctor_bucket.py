"""The doctor's look at the bucket that keeps clips and inputs."""

from collections.abc import Iterator

from core.artefacts.opening import endpoint_of, examine_bucket, is_readable_on_the_way
from core.cli.findings import DoctorFinding, Severity
from core.errors import ClapperError
from core.i18n.messages import explain, say
from core.settings import Settings


def look_at_bucket(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether the bucket can be read and written, and whose it is."""
    chosen, what = settings.artefacts, say("doctor_bucket")
    if not chosen.shared:
        return
    try:
        owner = examine_bucket(chosen)
    except ClapperError as problem:
        yield DoctorFinding(what, Severity.BAD, explain(problem))
        return
    facts = {"address": chosen.place, "owner": (owner or "")[:8], "endpoint": endpoint_of(chosen)}
    sentence = "doctor_bucket_good" if owner else "doctor_bucket_new"
    yield DoctorFinding(what, Severity.GOOD, say(sentence, facts))
    if is_readable_on_the_way(chosen):
        detail = say("doctor_bucket_plain", facts)
        yield DoctorFinding(what, Severity.NOTE, detail, say("doctor_bucket_plain_fix"))
