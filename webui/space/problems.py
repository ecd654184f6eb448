"""What a Space lacks, told so that its owner can mend it there: with a secret, hardware, a restart.

The usual sentences name commands, which a Space has not.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import structlog

from core.domain.progress import ProgressSink
from core.errors import ClapperError, SetupProblem, SpaceIncomplete
from core.i18n.messages import DEFAULT_LANGUAGE, explain, say, sentences
from core.models.catalog import ModelFile
from core.models.hub_cache import HubCache
from core.models.preparation import ModelFileSource
from core.runtime.cancellation import CancelToken
from core.runtime.paths import readable


class PreloadUnreadable(SetupProblem):
    """A preloaded file lies in ``folder``, and the system does not let this account read it."""

    what: str
    folder: str
    detail: str


log = structlog.get_logger(__name__)


def code_of(problem: ClapperError) -> str:
    """Return the code of the sentence for ``problem``: that for a Space where there is one."""
    own = f"space_{problem.code}"
    return own if own in sentences(DEFAULT_LANGUAGE) else problem.code


def told(problem: ClapperError, locale: str | None = None) -> str:
    """Tell what is wrong and what the owner of the Space does about it."""
    code = code_of(problem)
    return explain(problem, locale) if code == problem.code else say(code, problem.data(), locale)


def note(problem: ClapperError) -> None:
    """Log ``problem`` with all that it knows: file, page, path, and what to do."""
    log.error("space_incomplete", problem=problem.code, hint=told(problem), **problem.data())


def for_visitors(*problems: SetupProblem) -> SpaceIncomplete:
    """Return what the page says of ``problems`` under a job; often the owner reads it."""
    return SpaceIncomplete(json.dumps([[code_of(one), one.data()] for one in problems]))


class ToldModelFiles:
    """Model files of a Space: what keeps them away is told under the job and in the log."""

    def __init__(self, inner: ModelFileSource, preloaded: Path) -> None:
        self._inner = inner
        self._preloaded = HubCache(preloaded)

    async def ensure(
        self, files: Sequence[ModelFile], on_progress: ProgressSink, cancel: CancelToken
    ) -> tuple[Path, ...]:
        """Make sure that ``files`` lie where ComfyUI looks.

        Raises:
            for_visitors: what keeps a file away.
        """
        try:
            return await self._inner.ensure(files, on_progress, cancel)
        except SetupProblem as problem:
            causes = [*self._hidden(files), problem]
            for cause in causes:
                note(cause)
            raise for_visitors(*causes) from problem

    def _hidden(self, files: Sequence[ModelFile]) -> list[SetupProblem]:
        """Return what keeps preloaded files from being read; nothing where they are absent."""
        for file in files:
            snapshot = self._preloaded.repo(file.repo) / "snapshots" / file.revision
            try:
                with (snapshot / file.path).open("rb"):
                    pass
            except FileNotFoundError:
                continue
            except OSError as error:
                folder = readable(self._preloaded.root)
                return [PreloadUnreadable(file.name, folder, error.strerror or "")]
        return []
