"""The doctor's look at the libraries."""

from importlib.metadata import version

import pytest

from core.cli import doctor_packages
from core.cli.doctor_packages import look_at_packages, package_findings
from core.cli.findings import Severity
from core.settings import Settings

OURS = version("av")


def test_what_was_installed_from_the_lock_is_what_was_tested(settings: Settings) -> None:
    assert [finding.health for finding in look_at_packages(settings)] == [Severity.GOOD]


@pytest.mark.parametrize("in_a_wheel", [False, True])
def test_another_version_is_named_with_the_tested_one(
    in_a_wheel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_packages, "IS_INSTALLED", in_a_wheel)

    (finding,) = package_findings(
        {"av": "0.0.1", "absent-package": "1", "pillow": version("pillow")}
    )

    assert finding.health is Severity.NOTE
    assert f"av {OURS} (0.0.1)" in finding.detail
    assert "absent" not in finding.detail
    assert "1 has" in finding.detail
    assert ("README" if in_a_wheel else "make") in finding.fix


def test_who_built_a_package_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_packages, "version", lambda _: "2.13.0+cpu")

    assert [one.health for one in package_findings({"torch": "2.13.0"})] == [Severity.GOOD]
    assert [one.health for one in package_findings({"torch": "2.15.0"})] == [Severity.NOTE]


def test_of_many_some_are_named_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_packages, "version", lambda _: "2")

    (finding,) = package_findings({f"package-{number}": "1" for number in range(9)})

    assert finding.detail.startswith("9 have")
    assert "package-4" in finding.detail
    assert "package-5" not in finding.detail
