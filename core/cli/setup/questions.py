"""The questions of ``clapper setup``, and the looks that each answer gets at once."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from pydantic import SecretStr

from core.app.frontend import Checkable, Examinable, Front, OperatorFinder
from core.app.serve import found_fronts
from core.cli import questions
from core.cli.exit_codes import ExitStatus, err, out
from core.cli.setup.answers import Answers
from core.cli.setup.card import first_card
from core.cli.setup.pasted import pasted_account, pasted_token
from core.domain.access import OWN
from core.errors import ClapperError
from core.errors.setup import BadSettings
from core.i18n.messages import explain, say
from core.interfaces.platform_check import PlatformCheck
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
        if self.quiet or (typed := questions.secret(question)) is None:
            return None
        return SecretStr(pasted_token(typed.get_secret_value()))

    def text(self, question: str, usual: str) -> str:
        """Ask for a line; ``usual`` where nothing is typed."""
        return usual if self.quiet else questions.line(question, usual)


def answered(given: Answers, asking: Asking) -> Answers:
    """Ask for what ``given`` leaves open.

    Raises:
        BadSettings: what was given, or is set elsewhere, cannot be used.
        ClapperError: the data directory that was given cannot be used.
        Exit: a token was given that its platform refuses, and there is nobody to ask.
    """
    given.settings()  # before anybody types anything
    if given.data_dir is not None:
        claim(given.data_dir)
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
        tried = _with_token(answers, platform, token)
        if _works(platform, token, tried.settings()):
            return tried
        for other in PLATFORMS:
            if other != platform and _has_form(other, token):
                err().print(say("setup_token_of_other", {"platform": other.capitalize()}))
        if asking.quiet:
            raise typer.Exit(ExitStatus.SETUP)
        token = None
    return answers


def _has_form(platform: str, token: SecretStr) -> bool:
    """Tell whether ``token`` looks like one of ``platform``; False where any text would."""
    return bool(_form_checks(platform, SecretStr("x"))) and not _form_checks(platform, token)


def _form_checks(platform: str, token: SecretStr) -> list[PlatformCheck]:
    """Return what the front says of the token's form, not of what else is set."""
    front = _front(platform)
    if not isinstance(front, Checkable):
        return []
    known = front.check(Answers().settings())
    return [one for one in front.check(_with_token(Answers(), platform, token).settings())
            if one not in known]  # fmt: skip


def _with_token(answers: Answers, platform: str, token: SecretStr) -> Answers:
    return replace(answers, **{f"{platform}_token": token})


def _works(platform: str, token: SecretStr, settings: Settings) -> bool:
    """Look at the token's form, ask the platform about it, and tell what it says."""
    front, checks = _front(platform), _form_checks(platform, token)
    if isinstance(front, Examinable) and not checks:
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
    question = say("setup_operator", {"platform": platform})
    while (typed := asking.text(question, found or "-")) not in {"", "-"}:
        account = pasted_account(typed, platform)
        tried = replace(answers, operators=(*answers.operators, account))
        if _can_be(tried):
            return tried
    return answers


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
    while (typed := asking.text(say("setup_allowed"), OWN)) != OWN:
        if _can_be(replace(answers, allowed=typed)):
            return typed
    return None


def _can_be(answers: Answers) -> bool:
    """Tell whether such settings can hold, and why not."""
    try:
        answers.settings()
    except BadSettings as error:
        err().print(explain(error))
        return False
    return True


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
    while not asking.quiet:
        typed = asking.text(say("setup_data"), str(usual))
        try:
            folder = absolute_path(Path(typed))
            claim(folder)
        except ValueError as error:  # of "~nobody"
            err().print(str(error))
        except ClapperError as error:
            err().print(explain(error))
        else:
            return None if folder == usual else folder
    return None


def _front(platform: str) -> Front | None:
    return next((one for one in found_fronts(lambda _: None) if one.name == platform), None)
