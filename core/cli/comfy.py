"""``clapper comfy``: fetch ComfyUI at its pin, show what is there, follow a changed pin."""

from typing import Annotated

import typer
from rich.table import Table

from core.cli.exit_codes import ExitStatus, explained_exit, out, print_json
from core.comfy.device import device_kind
from core.comfy.install.availability import INSTALL, MissingComponent, missing_components
from core.comfy.install.checkout import Head, head_of, is_ours
from core.comfy.install.choice import drop_choice
from core.comfy.install.installer import Step, install
from core.comfy.install.pins import Pin, Pins, load_pins
from core.comfy.paths import ComfyPaths, comfy_paths, pinned_paths
from core.domain.modes import Mode
from core.i18n.messages import say
from core.settings import Settings, load_settings

APP = typer.Typer(help=say("help_comfy"), no_args_is_help=True)

PacksOption = Annotated[bool, typer.Option("--packs", help=say("help_comfy_packs"))]
PackagesOption = Annotated[bool, typer.Option(help=say("help_comfy_packages"))]
IndexOption = Annotated[str, typer.Option(help=say("help_comfy_torch_index"))]
_SHORT = 10  # digits of a commit that people compare


@APP.command("install", help=say("help_comfy_install"))
def install_command(
    *, packs: PacksOption = False, packages: PackagesOption = True, torch_index: IndexOption = ""
) -> None:
    """Bring ComfyUI, and the packs if asked, to their pins."""
    settings = load_settings()
    console, place = out(), pinned_paths(settings)

    def tell(step: Step) -> None:
        data = {"what": f"{step.what} {step.commit[:_SHORT]}".strip(), "path": step.path}
        console.print(say(f"comfy_{step.outcome}", data), soft_wrap=True)

    with explained_exit():
        install(
            load_pins(),
            place,
            tell,
            packs=packs,
            packages=packages,
            torch_index=torch_index or settings.comfy.torch_index,
        )
        if drop_choice(place.checkout):
            console.print(say("comfy_back", {"version": load_pins().version}), soft_wrap=True)
    gaps = missing_components(settings)
    if gaps:
        next_step = say("comfy_next", {"what": gaps[0].what, "command": gaps[0].command})
        console.print(next_step, soft_wrap=True)
    else:
        console.print(say("comfy_ready"))


@APP.command("update", help=say("help_comfy_update"))
def update_command(
    *,
    to: Annotated[str | None, typer.Option("--to", help=say("help_comfy_to"))] = None,
    mode: Annotated[list[Mode] | None, typer.Option(help=say("help_comfy_mode"))] = None,
    packages: PackagesOption = True,
    torch_index: IndexOption = "",
) -> None:
    """Follow changed pins: ComfyUI, and all packs if any is there; or try another ComfyUI."""
    settings = load_settings()
    if to is not None:
        _try(to, mode or list(Mode), settings, packages=packages)
        return
    place = pinned_paths(settings)
    packs = any((place.packs / pin.name).is_dir() for pin in load_pins().packs)
    install_command(packs=packs, packages=packages, torch_index=torch_index)


def _try(ref: str, modes: list[Mode], settings: Settings, *, packages: bool) -> None:
    """Try the ComfyUI of ``ref`` and switch to it, or tell what broke."""
    from core.cli.comfy_trial import UpdateTrial, try_and_switch

    console, pins = out(), load_pins()
    for sentence in pins.newer:
        console.print(f"• {sentence}", soft_wrap=True)

    def tell(sentence: str) -> None:
        console.print(sentence, soft_wrap=True)

    with explained_exit():
        asked = UpdateTrial(pins.comfyui, ref, modes, packages)
        chosen = try_and_switch(asked, settings, tell)
        tell(say("comfy_switched", {"version": chosen.version, "commit": chosen.commit[:_SHORT]}))


@APP.command("status", help=say("help_comfy_status"))
def status_command(
    *, as_json: Annotated[bool, typer.Option("--json", help=say("help_json"))] = False
) -> None:
    """Show the checkout, the packs, the device and everything that is missing.

    Raises:
        Exit: with the status of an incomplete installation.
    """
    settings = load_settings()
    pins, place = load_pins(), comfy_paths(settings)
    with explained_exit(as_json=as_json):
        gaps = missing_components(settings)
        found = place.version or "–"
        head = head_of(place.checkout)
        if head is not None and head.changed:
            gaps.insert(0, MissingComponent(say("comfy_changed", {"count": head.changed}), INSTALL))
        packs = _packs(pins, place)
        if as_json:
            lacks = [{"what": gap.what, "command": gap.command} for gap in gaps]
            print_json({
                "checkout": str(place.checkout), "version": place.version,
                "commit": head.commit if head else None, "changed": head.changed if head else 0,
                "device": device_kind(), "packs": packs, "missing": lacks,
            })  # fmt: skip
        else:
            table = Table(box=None, show_header=False, pad_edge=False)
            for _ in range(3):
                table.add_column(overflow="fold")
            table.add_row(
                "ComfyUI",
                f"{found}  {_state(pins.comfyui, head, chosen=bool(place.wanted))}",
                str(place.checkout),
            )
            table.add_row(say("comfy_device"), device_kind(), "")
            for name, state in packs.items():
                table.add_row(name, state, "")
            for gap in gaps:
                table.add_row(say("comfy_missing"), gap.what, f"→ {gap.command}")
            out().print(table)
            out().print(say("comfy_incomplete") if gaps else say("comfy_ready"))
    if any(gap.required for gap in gaps):
        raise typer.Exit(ExitStatus.SETUP)


def _packs(pins: Pins, place: ComfyPaths) -> dict[str, str]:
    """Look up the state of every pinned pack, and of those that no pin names any more."""
    found = {pin.name: _state(pin, head_of(place.packs / pin.name)) for pin in pins.packs}
    there = sorted(place.packs.iterdir()) if place.packs.is_dir() else []
    left = [path.name for path in there if is_ours(path) and path.name not in found]
    return found | dict.fromkeys(left, say("comfy_not_pinned"))


def _state(pin: Pin, head: Head | None, *, chosen: bool = False) -> str:
    if head is None:
        return say("comfy_absent")
    data = {"commit": head.commit[:_SHORT], "pin": pin.commit[:_SHORT], "count": head.changed}
    if head.commit != pin.commit and chosen:
        return say("comfy_chosen", data)
    if head.commit != pin.commit:
        return say("comfy_off_pin", data)
    state = say("comfy_at_pin", data)
    return f"{state}, {say('comfy_changed', data)}" if head.changed else state
