"""The doctor's looks at the service: settings, ports, intake, workflows, fronts and platforms."""

import asyncio
import os
from collections.abc import Iterator

from core.app.frontend import Examinable, PolledAlone
from core.app.preflight import check_ports, check_settings, ports
from core.app.serve import found_fronts
from core.cli.estimate import recorded
from core.cli.findings import DoctorFinding, Severity, findings_of
from core.cli.running import is_running
from core.domain.modes import Mode
from core.errors import ClapperError
from core.i18n.messages import explain, say
from core.queue.intake import read_intake
from core.runtime.file_names import BEFORE_RESTORE, entries_of
from core.settings import Settings
from core.workflow.library import load, paths_of
from core.workflow.model_files import NamedFileState, look_for_files

_FILE_PROBLEMS = {
    NamedFileState.MISSING: "doctor_workflow_file",
    NamedFileState.DAMAGED: "doctor_workflow_broken",
}


def look_at_settings(settings: Settings) -> Iterator[DoctorFinding]:
    """Look for names that nobody reads, and for what keeps a front from starting."""
    found = list(findings_of(check_settings(settings, found_fronts(lambda _: None))))
    yield from found
    if not any(finding.health is Severity.BAD for finding in found):
        yield DoctorFinding(say("doctor_settings"), Severity.GOOD, say("doctor_settings_good"))


def look_at_data(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether the data directory, or the folder that it will be made in, takes files."""
    folder = settings.data_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        facts = {"path": folder}
        detail = say("doctor_data_unwritable", facts)
        yield DoctorFinding(say("doctor_data"), Severity.BAD, detail, say("doctor_data_fix", facts))
    for kept in entries_of(settings.data_dir, BEFORE_RESTORE):
        detail = say("doctor_old_data_kept", {"path": kept})
        fix = say("doctor_old_data_fix")
        yield DoctorFinding(say("doctor_old_data"), Severity.NOTE, detail, fix)


def look_at_ports(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether the ports are free; a running service has taken them itself."""
    listening = ports(settings)
    if not listening:
        return
    if is_running(settings):
        yield DoctorFinding(say("doctor_port"), Severity.GOOD, say("doctor_ports_ours"))
        return
    found = list(findings_of(check_ports(settings)))
    yield from found
    if not found and any(one.port for one in listening):
        numbers = {"ports": ", ".join(str(one.port) for one in listening if one.port)}
        yield DoctorFinding(say("doctor_port"), Severity.GOOD, say("doctor_ports_good", numbers))


def look_at_intake(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether an operator closed the intake; reads beside a running service."""
    state = asyncio.run(_intake(settings))
    if state != "open":
        yield DoctorFinding(
            say("doctor_intake"),
            Severity.NOTE,
            say(f"doctor_intake_{state}"),
            say("doctor_intake_fix"),
        )


async def _intake(settings: Settings) -> str:
    async with recorded(settings) as database:
        if database is None:
            return "open"
        async with database.snapshot() as connection:
            return await read_intake(connection)


def look_at_workflows(settings: Settings) -> Iterator[DoctorFinding]:
    """Look whether adopted workflows can be read, and have their model files."""
    what = say("doctor_workflows")
    for mode in Mode:
        if not any(path.exists() for path in paths_of(mode, settings.workflows_dir)):
            continue
        try:
            workflow = load(mode, settings.workflows_dir)
        except ClapperError as problem:
            yield DoctorFinding(what, Severity.BAD, explain(problem))
            continue
        for found in look_for_files(workflow.graph, settings.models_folder):
            if found.state not in _FILE_PROBLEMS:
                continue
            path = settings.models_folder / found.file.folder
            facts = {"mode": mode, "file": found.file.name, "fault": found.fault, "path": path}
            yield DoctorFinding(
                what,
                Severity.BAD if found.file.needed else Severity.NOTE,
                say(_FILE_PROBLEMS[found.state], facts),
                say("doctor_workflow_file_fix", facts),
            )


def look_at_fronts(settings: Settings) -> Iterator[DoctorFinding]:
    """Look which fronts are configured."""
    told: list[str] = []
    wanted = [front.name for front in found_fronts(told.append) if front.configured(settings)]
    what = say("doctor_fronts")
    if wanted:
        yield DoctorFinding(what, Severity.GOOD, ", ".join(wanted))
    else:
        yield DoctorFinding(what, Severity.NOTE, say("doctor_no_front"), say("doctor_front_fix"))
    for sentence in told:
        yield DoctorFinding("", Severity.NOTE, sentence)


def look_at_platforms(settings: Settings) -> Iterator[DoctorFinding]:
    """Ask each front's platform."""
    for front in found_fronts(lambda _: None):
        if isinstance(front, Examinable):
            yield from findings_of(asyncio.run(front.examine(settings)))
        # another node of ours may poll, and so does a service that runs here
        alone = not settings.database_url.get_secret_value() and not is_running(settings)
        if alone and isinstance(front, PolledAlone):
            yield from findings_of(asyncio.run(front.look_for_polling_conflicts(settings)))
