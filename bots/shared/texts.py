"""Write the texts that both platforms show, with each platform's own markup and escaping."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bots.shared.job_notes import notes_of
from bots.shared.mode_lines import ModeLines, Name
from bots.shared.option_lines import option_lines
from bots.shared.progress_bar import bar
from core import __version__
from core.domain.enhancement import prompt_note
from core.domain.jobs import Failure, Job, JobState, Ticket, waiting_range
from core.domain.modes import MODES
from core.domain.progress import Downloading, Progress, Waiting, Working
from core.domain.quota import QuotaView
from core.domain.request_words import words_note
from core.i18n.limits import limit_line
from core.i18n.messages import SHORT_ID, explain, name, say
from core.service.front_services import AuditEntry
from core.service.views import QueueView, ServiceHealth


@dataclass(frozen=True, slots=True)
class Markup:
    """How a platform writes a countdown, escapes literal text and names commands."""

    moment: Callable[[float], str]  # epoch seconds → e.g. "<t:1700000000:R>"
    escape: Callable[[str], str]
    command: Name = lambda command, _: f"/{command}"
    option: Name = lambda option, _: option
    files_apart: bool = False  # a command has words alone, and files come in or before its message
    quote: Callable[[str], str] = str  # a person's words, in which nothing is markup or a mention
    link: Callable[[str, str], str] = lambda address, _: address  # with a word for it
    shown: Callable[[str], str] = str  # what is left of a text without its markup
    units: Callable[[str], int] = len  # of a text without markup, as the platform counts it


@dataclass(frozen=True, slots=True)
class _Names:
    """Resolves ``{cmd[history]}`` in a sentence to the name that this reader knows."""

    of: Name
    locale: str | None

    def __getitem__(self, name: str) -> str:
        return self.of(name, self.locale)


@dataclass(frozen=True, slots=True)
class Texts:
    """Writes texts for one reader."""

    markup: Markup
    locale: str | None = None

    def say(self, code: str, /, **data: object) -> str:
        """Fill in the sentence ``code``; escape the strings in ``data`` for the platform.

        ``{cmd[…]}`` and ``{opt[…]}`` in it are commands and options as the reader sees them.
        """
        safe = {key: self._safe(value) for key, value in data.items()}
        safe["cmd"] = _Names(self.markup.command, self.locale)
        safe["opt"] = _Names(self.markup.option, self.locale)
        return say(code, safe, self.locale)

    def _safe(self, value: object) -> object:
        # Our own identifiers stay as they are: an escaped "dolly_in" would find no word.
        if isinstance(value, str) and not isinstance(value, StrEnum):
            return self.markup.escape(value)
        return value

    def ready(self, seconds: float) -> str:
        """Write the moment ``seconds`` from now."""
        return self.markup.moment(time.time() + max(1.0, seconds))

    def span(self, seconds: float, latest: float | None) -> str:
        """Write the moment ``seconds`` from now, with ``latest`` as the other end if given."""
        if latest is None:
            return self.ready(seconds)
        data = {"early": self.ready(seconds), "late": self.ready(latest)}
        return say("ready_between", data, self.locale)

    def ticket(self, job: Job, ticket: Ticket) -> str:
        """Describe an accepted request: position, expected time, and what was adjusted."""
        if ticket.forecast is None:
            return say("status_delivering", {"mode": job.mode_word}, self.locale)
        return self.progress(job, waiting_range(ticket.forecast))

    def progress(self, job: Job, event: Progress) -> str:
        """Describe the state of a job in one line, and what was adjusted."""
        return "\n".join([self._state(job, event), *notes_of(job, self.markup.escape)])

    def _state(self, job: Job, event: Progress) -> str:
        mode = job.mode_word
        match event:
            case Downloading(file, done, total):
                data = {"file": self.markup.escape(file), "done": done, "total": total,
                        "left": event.left_bytes}  # fmt: skip
                return say("status_download", data, self.locale)
            case Waiting(position, ready_in_s, latest_in_s):
                code = "status_next" if position <= 1 else "status_waiting"
                data = {
                    "mode": mode,
                    "position": position,
                    "ready": self.span(ready_in_s, latest_in_s),
                }
                return say(code, data, self.locale)
            case Working(stage=stage, fraction=fraction):
                return say(
                    "status_running",
                    {
                        "mode": mode,
                        "stage": stage,
                        "bar": bar(fraction),
                        "percent": round(100 * fraction),
                        "ready": self.ready(job.estimate_ms / 1000 * (1 - fraction)),
                    },
                    self.locale,
                )

    def failure(self, failure: Failure) -> str:
        """Explain why there is no clip."""
        return self.markup.escape(explain(failure, self.locale))

    def result(self, job: Job) -> str:
        """Write the caption of a finished clip: how it was made, and what it cost."""
        first = name(job.mode_word, self.locale)
        if job.asked is not None:
            sampling = job.asked.sampling
            data = {
                "mode": job.asked.mode,
                "preset": sampling.preset,
                "size": str(sampling.size),
                "seconds": sampling.seconds,
                "seed": sampling.seed,
            }
            first = say("result_line", data, self.locale)
        cost = {"cost": job.charged_ms or 0, "job": job.id[:SHORT_ID]}
        return "\n".join(
            [first, say("result_cost", cost, self.locale), *notes_of(job, self.markup.escape)]
        )

    def details(self, job: Job, parent: str = "") -> str:
        """List everything needed to make the clip again.

        What the person wrote comes last, as it is what a platform may have no room for. ``parent``
        is what it was made from (:func:`bots.shared.lineage.parent_of`).
        """
        if job.asked is None:
            plain = {"mode": job.mode_word, "state": job.state, "job": job.id}
            return say("details_unreadable", plain, self.locale)
        request = job.asked
        lines = option_lines(request, self.markup.escape, self.locale)
        data = {
            "mode": request.mode,
            "size": str(request.sampling.size),
            "frames": request.sampling.frames,
            "fps": request.sampling.fps,
            "state": job.state,
            "cost": (job.charged_ms or 0) / 1000,
            "job": job.id,
            "chosen": "\n".join(lines.chosen),
        }
        notes = (words_note(request), prompt_note(job))
        told = [self.markup.escape(explain(note, self.locale)) for note in notes if note]
        first = (say("details", data, self.locale), *([parent] if parent else []))
        return "\n".join([*first, *lines.written, *told])

    def line(self, view: QueueView) -> str:
        """Describe where the reader's jobs are, and how long the queue is."""
        if not view.mine:
            data = {"running": view.running, "waiting": view.waiting}
            return say("queue_none", data, self.locale)
        lines = [say("queue_head", {"running": view.running, "waiting": view.waiting}, self.locale)]
        for place in view.mine:
            forecast = place.forecast
            code = "queue_running" if place.job.state is JobState.RUNNING else "queue_line"
            data = {
                "position": forecast.position if forecast else 0,
                "mode": place.job.mode_word,
                "size": size_text(place.job),
                "ready": self.ready(forecast.ready_in_s if forecast else 1.0),
                "job": place.job.id[:SHORT_ID],
            }
            lines.append(say(code, data, self.locale))
        return "\n".join(lines)

    def quota(self, view: QuotaView, window_hours: float) -> str:
        """Describe what the reader may still spend, a line for each limit, with its reset."""
        further = (
            limit_line(one, self.locale, self._reset(one.resets_at_ms)) for one in view.others
        )
        return "\n".join((self._account(view, window_hours), *further))

    def _account(self, view: QuotaView, window_hours: float) -> str:
        if view.resets_at_ms is None:
            data = {"limit": view.limit_ms, "hours": window_hours}
            return say("quota_fresh", data, self.locale)
        data = {
            "left": view.account_left_ms,
            "limit": view.limit_ms,
            "used": view.used_ms,
            "reserved": view.reserved_ms,
            "resets": self._reset(view.resets_at_ms),
        }
        return say("quota_text", data, self.locale)

    def _reset(self, at_ms: int | None) -> str | None:
        return None if at_ms is None else self.markup.moment(at_ms / 1000)

    def job_label(self, job: Job, limit: int) -> str:
        """Name a job in a list to choose from: mode, the beginning of its prompt, id."""
        prompt = "" if job.asked is None else " ".join(job.asked.prompt.split())
        mode, end = name(job.mode_word, self.locale), f" · {job.id[:SHORT_ID]}"
        label = f"{mode}: {prompt}" if prompt else mode
        room = limit - len(end)
        return (label if len(label) <= room else label[: room - 1] + "…") + end

    def admin_status(self, health: ServiceHealth) -> str:
        """Describe the state of the service, for operators."""
        return self.say(
            "admin_status",
            intake=health.intake,
            running=health.running,
            waiting=health.waiting,
            free=health.free_bytes,
            version=__version__,
        )

    def admin_jobs(self, jobs: Sequence[Job]) -> str:
        """List the whole queue, one line per job."""
        lines = [
            self.say(
                "admin_job",
                position=position,
                mode=job.mode_word,
                who=job.requester.key,
                state=job.state,
                job=job.id[:SHORT_ID],
            )
            for position, job in enumerate(jobs, 1)
        ]
        return "\n".join(lines) or self.say("admin_jobs_none")

    def admin_audit(self, entries: Sequence[AuditEntry]) -> str:
        """List what operators did, newest first."""
        lines = [
            self.say(
                "admin_audit",
                when=entry.at_ms,
                actor=entry.actor,
                verb=entry.verb,
                target=entry.target,
                detail=entry.detail,
            )
            for entry in entries
        ]
        return "\n".join(lines) or self.say("admin_audit_none")

    def help(self) -> str:
        """Explain what the bot can do: a line for each mode, and how to write for it."""
        markup = self.markup
        modes = ModeLines(
            markup.command, markup.option, markup.escape, self.locale, markup.files_apart
        )
        lines = [modes.summary(spec) for spec in MODES.values()]
        hints = [modes.hint(spec) for spec in MODES.values() if not spec.slots]
        return "\n".join([self.say("help_intro"), *lines, "", self.say("help_more"), *hints])


def size_text(job: Job) -> str:
    """Write the size of a job's clip, a dash where its request cannot be read."""
    return "–" if job.asked is None else str(job.asked.sampling.size)
