"""Weigh an image where no container daemon is: carry the Dockerfile out in folders.

    mmdebstrap --variant=minbase --include=ca-certificates bookworm /tmp/base
    # and Python 3.11 with pip in /tmp/base/usr/local, as the official image has it; then, as root
    python bench/image.py front --base /tmp/base --work /tmp/image

Every stage that the target needs becomes a folder, each RUN runs in a chroot, and what the tree
weighs is printed, its heaviest packages last. The base is yours to make: FROM asks a registry.
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# how this machine reaches package indexes
HANDED_ON = ("PIP_", "SSL_", "HTTP", "http", "https", "no_proxy")
SHOWN = 12


@dataclass
class Stage:
    """One FROM of the Dockerfile."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def read(text: str) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name."""
    stages: dict[str, Stage] = {}
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    name = ""
    for word, _, rest in (line.partition(" ") for line in lines if line.strip()):
        if word == "FROM":
            base, _, name = rest.split()
            stages[name] = Stage(base)
        else:
            stages[name].steps.append((word, rest.strip()))
    return stages


class Builder:
    """Makes each stage once, as a folder of ``work``."""

    def __init__(self, base: Path, work: Path) -> None:
        self._base, self._work = base, work
        self._stages = read((ROOT / "Dockerfile").read_text("utf-8"))
        self._environments: dict[str, dict[str, str]] = {}

    def make(self, name: str) -> Path:
        """Return the folder of stage ``name``."""
        root = self._work / name
        if name in self._environments:
            return root
        stage = self._stages[name]
        below = self.make(stage.base) if stage.base in self._stages else self._base
        subprocess.run(["cp", "-a", "--reflink=auto", below, root], check=True)
        environment = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"}
        environment = self._environments.get(stage.base, environment)
        self._environments[name] = dict(environment)
        place = "/"
        for word, rest in stage.steps:
            print(name, word, rest[:90], flush=True)
            if word == "ENV":
                self._set(name, rest)
            elif word == "WORKDIR":
                place = rest
                (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self._copy(rest, root, place)
            elif word == "RUN":
                self._run(name, root, f"cd {place} && {rest}")
        return root

    def _set(self, name: str, rest: str) -> None:
        found = self._environments[name]
        for key, value in re.findall(r"(\w+)=(\S+)", rest):
            found[key] = re.sub(r"\$(\w+)", lambda one: found[one[1]], value)

    def _copy(self, rest: str, root: Path, place: str) -> None:
        *sources, to = re.sub(r"--from=\S+\s", "", rest).split()
        goal = root / (Path(place) / to).relative_to("/")
        if stage := re.search(r"--from=(\S+)", rest):
            source = self.make(stage[1]) / sources[0].lstrip("/")
            subprocess.run(["cp", "-a", "-T", source, goal], check=True)
            return
        for source in sources:
            _copy_tracked(source, goal / source if to == "./" else goal)

    def _run(self, name: str, root: Path, command: str) -> None:
        handed = {k: v for k, v in os.environ.items() if k.startswith(HANDED_ON)}
        for mount in ("proc", "dev"):
            subprocess.run(["mount", "--rbind", f"/{mount}", root / mount], check=True)
        try:
            words = ["chroot", root, "sh", "-c", command]
            subprocess.run(words, env=handed | self._environments[name], check=True)
        finally:
            for mount in ("proc", "dev"):
                subprocess.run(["umount", "--recursive", "--lazy", root / mount], check=True)


def _copy_tracked(source: str, goal: Path) -> None:
    """Copy what git knows of ``source``: a clean checkout would send nothing else."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", source], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        file = goal if name == source else goal / Path(name).relative_to(source)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, file)


def weigh(folder: Path) -> int:
    """Return the bytes of all files under ``folder``, a file with several names once."""
    seen: dict[int, int] = {}
    for place, _, names in os.walk(folder):
        for found in ((Path(place) / name).lstat() for name in names):
            if stat.S_ISREG(found.st_mode):
                seen[found.st_ino] = found.st_size
    return sum(seen.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("--base", type=Path, required=True, help="a root with Python and pip")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder")
    given = parser.parse_args()
    root = Builder(given.base, given.work).make(given.target)
    print(f"base {weigh(given.base) / 1e6:.0f} MB, {given.target} {weigh(root) / 1e6:.0f} MB")
    (packages,) = root.glob("opt/venv/lib/python3.*/site-packages")
    sizes = [(weigh(one), one.name) for one in packages.iterdir() if one.is_dir()]
    for size, name in sorted(sizes)[-SHOWN:]:
        print(f"{size / 1e6:7.1f} MB  {name}")


if __name__ == "__main__":
    main()
