"""The questions of ``clapper setup``, and the looks that each answer gets at once."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from pydantic import SecretStr

from core.app.frontend import Examinable, Front, OperatorFinder
from core.app.serve import found_fronts
from core.cli import questions
from core.cli.exit_codes import ExitStatus, err, out
from core.cli.setup.answers import Answers
from core.cli.setup.card import first_card
from core.domain.access import OWN
from core.errors import ClapperError
from core.i18n.messages import explain, say
from core.models.catalog import FAMILY, Profile
from core.runtime.paths import absolute_path
from core.settings import Settings
from core.storage.claim import claim

PLATFORMS = ("discord", "telegram")
CODE_DIGITS = 6
WAIT_S = 300.0  # for the person who sends the code


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are put; none at all where ``quiet``."""

    quiet: bool

    def secret(self, question: str) -> SecretStr | None:
        """Ask for what is not shown while it is typed; nothing typed is None."""
        return None if self.quiet else questions.secret(question)

    def text(self, question: str, usual: str) -> str:
        """Ask for a line; ``usual`` where nothing is typed."""
        return usual if self.quiet else questions.line(question, usual)


def answered(given: Answers, asking: Asking) -> Answers:
    """Ask for what ``given`` leaves open.

    Raises:
        BadSettings: an answer cannot be used.
        Exit: a token was given that its platform refuses, and there is nobody to ask.
    """
    answers = Answers(operators=given.operators, data_dir=given.data_dir)
    for platform in PLATFORMS:
        answers = _with_bot(platform, getattr(given, f"{platform}_token"), answers, asking)
    for platform in PLATFORMS:
        if not any(account.startswith(f"{platform}:") for account in answers.operators):
            answers = _with_operator(platform, answers, asking)
    answers = replace(answers, model_profile=_profile(given.model_profile, asking))
    answers = replace(answers, allowed=_allowed(given.allowed, answers, asking))
    if answers.data_dir is None:
        answers = replace(answers, data_dir=_data_dir(answers.settings().data_dir, asking))
    answers.settings()
    return answers


def _with_bot(platform: str, token: SecretStr | None, answers: Answers, asking: Asking) -> Answers:
    """Ask for the token of ``platform`` until it works, or none is typed.

    Raises:
        Exit: it does not work, and there is nobody to ask.
    """
    while token := token or asking.secret(say(f"setup_{platform}_token")):
        tried = replace(answers, **{f"{platform}_token": token})
        if _works(platform, tried.settings()):
            return tried
        if asking.quiet:
            raise typer.Exit(ExitStatus.SETUP)
        token = None
    return answers


def _works(platform: str, settings: Settings) -> bool:
    """Ask the platform about the token, and tell what it says."""
    front = _front(platform)
    if not isinstance(front, Examinable):
        return True
    checks = asyncio.run(front.examine(settings))
    for check in checks:
        bad = check.health == "bad"
        (err() if bad else out()).print(" ".join(("✗" if bad else "✓", check.detail, check.fix)))
    return not any(check.health == "bad" for check in checks)


def _with_operator(platform: str, answers: Answers, asking: Asking) -> Answers:
    """Find who runs the bot of ``platform``, and ask whether that is right."""
    front, settings = _front(platform), answers.settings()
    if asking.quiet or front is None or not front.configured(settings):
        return answers
    found = ""
    if isinstance(front, OperatorFinder):
        found = _found_operator(front, settings, out().print)
    typed = asking.text(say("setup_operator", {"platform": platform}), found or "-")
    if typed in {"", "-"}:
        return answers
    account = typed if ":" in typed else f"{platform}:{typed}"
    return replace(answers, operators=(*answers.operators, account))


def _found_operator(finder: OperatorFinder, settings: Settings, ask: Callable[[str], None]) -> str:
    """Wait for the operator; Ctrl-C goes on without."""
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))

    async def wait() -> str:
        async with asyncio.timeout(WAIT_S):
            found = await finder.find_operator(settings, code, ask)
        return found.key if found else ""

    found = ""
    with suppress(KeyboardInterrupt, TimeoutError, OSError):
        found = asyncio.run(wait())
    if not found:
        ask(say("setup_no_operator"))
    return found


def _allowed(given: str | None, answers: Answers, asking: Asking) -> str | None:
    """Ask who may use the bots, where there are any."""
    if given is not None or asking.quiet or not (answers.discord_token or answers.telegram_token):
        return given
    typed = asking.text(say("setup_allowed"), OWN)
    return None if typed == OWN else typed


def _profile(given: str | None, asking: Asking) -> str | None:
    """Ask which model files fit the card."""
    if given is not None or asking.quiet:
        return given
    for profile, spec in FAMILY.profiles.items():
        size = sum(file.size_bytes for file in FAMILY.files_for(None, profile))
        facts = {"profile": profile, "memory": round(spec.min_memory_gb * 1e9), "size": size}
        out().print(say("setup_profile_line", facts))
    card, usual = first_card(), str(Settings().models.profile)
    if card is not None:
        usual = str(card.profile)
        out().print(say("setup_card", {"card": card.name, "profile": usual}))
    while (typed := asking.text(say("setup_profile"), usual).lower()) not in set(Profile):
        err().print(say("setup_profile_unknown", {"profiles": ", ".join(Profile)}))
    return typed


def _data_dir(usual: Path, asking: Asking) -> Path | None:
    """Ask where the data lie until the folder can be used; None for the usual place."""
    while (typed := asking.text(say("setup_data"), str(usual))) != str(usual):
        try:
            folder = absolute_path(Path(typed))
            claim(folder)
        except ValueError as error:  # of "~nobody"
            err().print(str(error))
        except ClapperError as error:
            err().print(explain(error))
        else:
            return folder
    return None


def _front(platform: str) -> Front | None:
    return next((one for one in found_fronts(lambda _: None) if one.name == platform), None)
