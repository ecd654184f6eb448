"""Every module can be imported without POSIX, so that help and errors can be shown."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = re.compile(r"^\s*(?:import|from) (?:fcntl|msvcrt)\b", re.MULTILINE)
PROGRAM = r'''
import builtins, importlib, os, pkgutil, signal, sys, types

MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "curses"}
KEPT = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"}
HIDDEN = {
    "signal": {n for n in dir(signal) if n.startswith(("SIG", "ITIMER")) and n not in KEPT}
    | {"setitimer", "alarm", "pthread_sigmask"},
    "os": {
        "register_at_fork", "fork", "getuid", "geteuid", "getgid", "getegid", "killpg", "getpgid",
        "setsid", "uname", "sysconf", "O_NOFOLLOW", "O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK",
        "statvfs", "mkfifo", "chown", "wait4", "WNOHANG", "sched_getaffinity",
    },
}
WITHOUT = {}
for module, names in HIDDEN.items():
    WITHOUT[module] = types.ModuleType(module)
    there = vars(sys.modules[module]).items()
    vars(WITHOUT[module]).update({name: value for name, value in there if name not in names})
real = builtins.__import__


CUDA_ALONE = {"triton"}  # comes with the torch of CUDA; who imports its modules asks for it first


def without_posix(name, globals=None, locals=None, fromlist=(), level=0):
    """What the system's own libraries import is theirs; ours find nothing of POSIX."""
    ours = str((globals or {}).get("__name__")).partition(".")[0] in ("core", "bots", "webui")
    if ours and not level and name in MODULES:
        raise ImportError(f"{name} is of POSIX alone")
    if ours and not level and name in WITHOUT:
        return WITHOUT[name]
    return real(name, globals, locals, fromlist, level)


builtins.__import__ = without_posix
failed = []
for top in ("core", "bots", "webui"):
    package = importlib.import_module(top)
    for found in pkgutil.walk_packages(package.__path__, top + ".", onerror=failed.append):
        if ".testing" in found.name or found.name.endswith("__main__"):
            continue  # not in the wheel; no import but a program
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if error.name not in CUDA_ALONE:
                failed.append(f"{found.name}: {error!r}")
        except Exception as error:
            failed.append(f"{found.name}: {error!r}")
print("\n".join(failed))
'''


def test_no_module_needs_posix_to_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ""


def test_locks_are_those_of_filelock() -> None:
    """It has them for Windows too; what it lacks, a shared lock, stands in one place (ADR 74)."""
    sources = [
        path for top in ("core", "bots", "webui") for path in (ROOT / top).rglob("*.py")
        if "testing" not in path.parts
    ]  # fmt: skip
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sources
        if re.search(
            r"^\s*(?:import|from) (?:fcntl|msvcrt)\b", path.read_text("utf-8"), re.MULTILINE
        )
    ]

    assert found == ["core/storage/lock.py"]
