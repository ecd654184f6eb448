"""Compute the hash that git gives a folder's content, without git.

It names the content of a commit: whoever knows it can tell whether an archive is that content.
SHA-1 is git's; what it is held against is pinned in our own files, and git itself trusts no more.
"""

import hashlib
import os
import stat
from pathlib import Path

IGNORED = frozenset({".git", "__pycache__"})  # ours, and what Python writes when it imports
_BLOCK = 1 << 20


def tree_hash(folder: Path) -> str:
    """Return the hash of the tree of ``folder``: 40 hex digits.

    Raises:
        OSError: something cannot be read.
    """
    return _tree(folder).hex()


def _tree(folder: Path) -> bytes:
    entries: list[tuple[bytes, bytes]] = []
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name in IGNORED:
                continue
            name, path = os.fsencode(entry.name), Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                inner = _tree(path)
                if inner != _EMPTY:  # git knows no empty folders
                    entries.append((name + b"/", b"40000 " + name + b"\0" + inner))
            elif entry.is_symlink():
                target = os.fsencode(path.readlink())
                entries.append((name, b"120000 " + name + b"\0" + _hash(b"blob", target)))
            else:
                entries.append((name, _mode(path) + b" " + name + b"\0" + _blob(path)))
    return _hash(b"tree", b"".join(line for _, line in sorted(entries)))


def _mode(path: Path) -> bytes:
    return b"100755" if path.stat().st_mode & stat.S_IXUSR else b"100644"


def _blob(path: Path) -> bytes:
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def _hash(kind: bytes, content: bytes) -> bytes:
    head = b"%s %d\0" % (kind, len(content))
    return hashlib.sha1(head + content, usedforsecurity=False).digest()


_EMPTY = _hash(b"tree", b"")
EMPTY_TREE = _EMPTY.hex()
