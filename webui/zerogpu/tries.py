# gradio's own types are incomplete
# pyright: reportUnknownMemberType=false
"""The tries at one job on a borrowed GPU: lent, watched, paid, and lent again where that helps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import gradio as gr
import structlog

from core import errors
from core.domain.jobs import Failure
from core.domain.media import RawClip
from core.domain.progress import Progress, Stage
from core.domain.prompt_preview import JobPreview
from core.errors import Cancelled, ClapperError, GenerationFailed, InternalError
from core.runtime.cancellation import CancelToken
from webui.zerogpu import lease as borrowed
from webui.zerogpu.errors import (
    GpuDurationIllegal,
    GpuTimeExceeded,
    GpuUnavailable,
    classify,
    was_lent,
)
from webui.zerogpu.lease import Call, HandedBack, LeasedClip, LeaseEvent, Seen, WorkerReport
from webui.zerogpu.loan_record import LoanRecord
from webui.zerogpu.planning import Plan
from webui.zerogpu.platform import size_of
from webui.zerogpu.request_context import Borrower
from webui.zerogpu.workers import Workers

log = structlog.get_logger(__name__)

Emit: TypeAlias = Callable[[Progress | JobPreview], None]


class _NotWarm(Exception):
    """A warm worker was expected, and the loan was handed back by a new one."""


class Tries:
    """Runs one job, in as few loans as it takes. Blocks; belongs on a thread."""

    def __init__(
        self,
        plan: Plan,
        workers: Workers,
        emit: Emit,
        cancel: CancelToken,
        on_report: Callable[[WorkerReport], None],
        clock: Callable[[], float],
    ) -> None:
        """Follow ``plan``; ``on_report`` gets to know which worker and device was met."""
        self._plan = plan
        self._workers = workers
        self._emit = emit
        self._cancel = cancel
        self._on_report = on_report
        self._clock = clock
        self._loans: list[LoanRecord] = []
        self._size = size_of(plan.machine.hardware.zerogpu)

    @property
    def counted_s(self) -> float:
        """Return the seconds of the visitor's day that all tries took so far."""
        return sum(loan.counted_s for loan in self._loans)

    def run(self, borrower: Borrower) -> RawClip:
        """Make the frames and sound, asking in the name of ``borrower``.

        Raises:
            GenerationFailed: with the reason.
            GpuTimeExceeded: cut off, and the visitor's day does not hold what it still needs.
        """
        expected, longer = self._workers.expect(self._size), False
        try:
            call = self._plan.call(warm=expected is not None)
        except GenerationFailed:
            self._workers.free(expected)
            raise
        while True:
            try:
                return borrower.run(self._lend, call, expected)
            except _NotWarm:
                call = self._planned.call(warm=False)
            except GpuDurationIllegal as error:
                call = self._shorter(call, error)
            except GpuTimeExceeded as error:
                again = None if longer else self._planned.longer(self._loans[-1])
                if again is None:
                    reached = round(100 * self._loans[-1].fraction)
                    raise GpuTimeExceeded(error.granted_s, reached) from None
                call, longer = again, True
            expected = None
            log.info("gpu_next_try", job_id=call.order.job_id, declared_s=call.declared_s)

    @property
    def _planned(self) -> Plan:
        return replace(self._plan, spent_s=self.counted_s)

    def _shorter(self, call: Call, error: GpuDurationIllegal) -> Call:
        """Return the same call within what the lender may give at once.

        Raises:
            GpuDurationIllegal: nothing that would be enough is left to try.
            GpuCallTooLong: the same, with the largest setting that fits.
        """
        plan = self._planned
        refused_s = call.granted_s * plan.loan.counted
        if not plan.limits.refused(plan.tier, refused_s):
            raise error
        return plan.call(warm=False)

    def _lend(self, call: Call, expected: int | None) -> RawClip:
        """Borrow the GPU once.

        Raises:
            GenerationFailed: what went wrong in the run.
            classify: what the lender's own error means.
            GpuUnavailable: the lender does not answer as it should.
            _NotWarm: see there.
        """
        loan = self._record(call)
        events = (borrowed.on_xlarge if self._size == "xlarge" else borrowed.on_large)(call)
        warm: bool | None = None  # unless a clip shows it, the worker is as it was
        dead = False
        try:
            raw = self._follow(events, loan, expected)
        except gr.Error as error:
            title = str(error.title)
            dead = was_lent(title)
            loan.end(lent=dead)
            log.info("gpu_refused", job_id=call.order.job_id, title=title, lent_s=loan.spent_s)
            message, granted_s = str(error.message), call.granted_s
            raise classify(title, message, call.declared_s, loan.spent_s, granted_s) from None
        except RuntimeError as error:
            log.warning("gpu_lender_failed", job_id=call.order.job_id, reason=str(error)[:80])
            raise GpuUnavailable from None
        else:
            warm = True
            return raw
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()
            loan.end(lent=False)
            self._let_go(loan, expected, warm=warm, dead=dead)

    def _record(self, call: Call) -> LoanRecord:
        counted = self._plan.loan.counted
        on_device = 1 - call.order.shares.get(Stage.ENCODE, 0.0)
        loan = LoanRecord(call.granted_s, counted, on_device, self._clock)
        self._loans.append(loan)
        return loan

    def _let_go(
        self, loan: LoanRecord, expected: int | None, *, warm: bool | None, dead: bool
    ) -> None:
        if loan.report is None:
            self._workers.free(expected)
        elif dead:
            self._workers.lost(loan.report.pid)
        else:
            self._workers.free(loan.report.pid, warm=warm)

    def _follow(
        self, events: Iterator[LeaseEvent], loan: LoanRecord, expected: int | None
    ) -> RawClip:
        for item in events:
            if isinstance(item, WorkerReport):
                loan.meet(item)
                self._workers.met(self._size, item.pid, expected, warm=item.warm)
                self._on_report(item)
            self._cancel.raise_if_cancelled()
            if isinstance(item, HandedBack):
                raise _NotWarm
            if isinstance(item, LeasedClip):
                loan.end(lent=True)
                return item.clip()
            if isinstance(item, Failure):
                raise error_of(item)
            if isinstance(item, Seen):
                loan.observe(item)
                self._emit(item.event)
        raise Cancelled("shutdown")


def error_of(failure: Failure) -> ClapperError:
    """Rebuild the error that ``failure`` was stored of."""
    for kind in vars(errors).values():
        known = isinstance(kind, type) and issubclass(kind, GenerationFailed)
        if known and kind.code == failure.code:
            return kind(**failure.data)
    return InternalError()
