"""Make the model files of one job available before its work begins."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from core.domain.presets import Control
from core.domain.progress import ProgressSink
from core.errors import ModelUnavailable, SetupProblem
from core.i18n.messages import explain
from core.interfaces.executor import Order
from core.models.catalog import ModelFile
from core.runtime.cancellation import CancelToken

_log = structlog.get_logger(__name__)


class ModelFileSource(Protocol):
    """The part of the model store that is needed here."""

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Make sure that ``files`` lie where ComfyUI looks."""
        ...


async def ensure_files(
    store: ModelFileSource,
    files: Sequence[ModelFile],
    order: Order,
    on_progress: ProgressSink,
    cancel: CancelToken,
) -> None:
    """Make ``files`` available for ``order``, downloading them where needed.

    Raises:
        ModelUnavailable: a file is missing and could not be obtained.
    """
    try:
        await store.ensure(files, on_progress, cancel)
    except SetupProblem as problem:
        data = problem.data()
        _log.error(
            "models_missing",
            job_id=order.job_id,
            problem=problem.code,
            hint=explain(problem),
            **data,
        )
        file = str(data.get("file") or data.get("what") or files[0].name)
        sampling = order.request.sampling
        more = " --doubling" * sampling.doubled
        more += f" --control {sampling.control}" * (sampling.control is not Control.EDGES)
        raise ModelUnavailable(file, f"clapper models pull{more}") from problem
