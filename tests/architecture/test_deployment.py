"""The files that containers are made from say only what the product knows."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from core.cli.app import APP
from core.settings import Settings, variables

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE, EXAMPLE = ROOT / "Dockerfile", ROOT / ".env.example"
COMPOSE = sorted(ROOT.glob("compose*.yaml"))
GUIDE = ROOT / "docs" / "cluster.md"
KNOWN = {name for one in variables(Settings).values() for name in one.names}
OF_FRONTS = ("CLAPPER_DISCORD", "CLAPPER_TELEGRAM", "CLAPPER_STUDIO", "CLAPPER_OPERATORS")
NAME = re.compile(r"\bCLAPPER_[A-Z0-9_]+")
SECONDS = re.compile(r"(\d+)s")


def composed(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text("utf-8"))


def services() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in COMPOSE:
        for name, service in composed(path)["services"].items():
            yield path.name, name, service


def own_services() -> list[Any]:
    return [
        pytest.param(service, id=f"{file}-{name}")
        for file, name, service in services()
        if "build" in service
    ]


def commands() -> list[list[str]]:
    """Return every command of ours in these files, each as a list of words."""
    found = [service["command"] for _, _, service in services() if "command" in service]
    image = DOCKERFILE.read_text("utf-8")
    found += [json.loads(words) for words in re.findall(r"^CMD (.*)$", image, re.M)]
    found += [shlex.split(words) for words in re.findall(r"^RUN (clapper .*)$", image, re.M)]
    for block in re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S):
        typed = re.findall(r"^(clapper .*)$", block, re.M)
        found += [shlex.split(words, comments=True) for words in typed]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_one_of_the_program(words: list[str]) -> None:
    program, *rest = words
    assert program == "clapper"
    command = typer.main.get_command(APP)
    context = command.context_class(command, info_name=program)
    while isinstance(command, TyperGroup) and (rest or command.no_args_is_help):
        name, *rest = rest
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        command = found
    command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize("path", [DOCKERFILE, EXAMPLE, *COMPOSE, GUIDE], ids=lambda p: p.name)
def test_every_setting_is_one_of_the_program(path: Path) -> None:
    assert set(NAME.findall(path.read_text("utf-8"))) - KNOWN == set()


@pytest.mark.parametrize("path", COMPOSE, ids=lambda p: p.name)
def test_what_a_file_takes_from_the_environment_is_in_the_example(path: Path) -> None:
    taken = set(re.findall(r"\$\{([A-Z0-9_]+)", path.read_text("utf-8")))
    lines = EXAMPLE.read_text("utf-8").splitlines()
    assert taken <= {line.partition("=")[0] for line in lines if "=" in line and line[0] != "#"}


@pytest.mark.parametrize("service", own_services())
def test_a_container_is_confined(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(place.startswith("/tmp:") for place in service["tmpfs"])


@pytest.mark.parametrize("service", own_services())
def test_a_container_has_longer_to_stop_than_its_service(service: dict[str, Any]) -> None:
    if "stop_grace_period" in service:
        environment = service["environment"]
        grace_s = float(environment.get("CLAPPER_NOTICE_S", Settings().worker.shutdown_grace_s))
        assert int(SECONDS.fullmatch(service["stop_grace_period"])[1]) > grace_s + 4


@pytest.mark.parametrize("service", own_services())
def test_a_worker_is_given_nothing_that_is_the_fronts(service: dict[str, Any]) -> None:
    if service.get("command") == ["clapper", "worker"]:
        assert "env_file" not in service
        assert not [name for name in service["environment"] if name.startswith(OF_FRONTS)]


def test_both_images_run_as_nobody_and_are_watched() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE.read_text("utf-8"), flags=re.M)[1:]
    names = [stage.splitlines()[0].rpartition(" ")[2] for stage in stages]
    assert names == ["packages", "front", "worker"]
    for stage in stages[1:]:
        users = re.findall(r"^USER (\w+)", stage, re.M)
        assert users[-1] == "clapper"
    assert "HEALTHCHECK" in stages[1]
    assert "torch" not in stages[1].partition("ENV")[2]


def test_the_image_keeps_the_customs_of_every_language_that_it_speaks() -> None:
    (kept,) = re.findall(r"babel/locale-data -type f -not -regex '(.+)'", DOCKERFILE.read_text())
    pattern = kept.replace("\\(", "(").replace("\\)", ")").replace("\\|", "|")
    languages = {path.name for path in (ROOT / "core" / "i18n" / "words").iterdir()}

    assert languages >= {"en", "de", "pl"}
    for name in ("root", *languages, "en_GB"):
        assert re.fullmatch(pattern, f"babel/locale-data/{name}.dat")
    assert not re.fullmatch(pattern, "babel/locale-data/enx.dat")


def test_every_folder_that_an_image_takes_is_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    taken = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text("utf-8"), re.M)
    for name in " ".join(taken).split():
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored


def test_target_of_every_service_is_one_of_the_images() -> None:
    targets = {service["build"]["target"] for _, _, service in services() if "build" in service}
    assert targets == {"front", "worker"}


def test_the_unit_of_systemd_sets_what_is_read_and_waits_long_enough() -> None:
    text = (ROOT / "docs" / "systemd" / "clapper.service").read_text("utf-8")
    set_there = set(re.findall(r"\b(CLAPPER_[A-Z_]+)=", text))
    (stop_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.M)

    assert set_there
    assert set_there <= KNOWN | {"CLAPPER_ENV_FILE"}
    assert float(stop_s) > Settings().worker.shutdown_grace_s + 4
