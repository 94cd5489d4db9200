"""What a Python file holds, as far as it runs; remembered from one process to the next.

To parse all modules of this package takes 0.3 s, at each start of Snakemake. What they hold is
remembered by their content, for all clones and working directories, in a file that is safe to
lose. Where it cannot be written, every process parses them anew.
"""

import ast
import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from brainpublish.files import compact_json, read_json, write_bytes

log = logging.getLogger(__name__)

PACKAGE = "brainpublish"
_FORM = 1
"""Number of the form of what is remembered: another one where `Parsed` comes to mean another."""

_MOST = 1000
"""Remembered files beyond which those that this process did not meet are forgotten."""

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Parsed:
    """A file's code.

    Attributes:
        digest: sha256 of the parsed code without docstrings, as hexadecimal text.
        names: what it imports of this package: modules, and what may be modules.
    """

    digest: str
    names: tuple[str, ...]


def parsed(source: bytes) -> Parsed:
    """Parse a Python file. Raises SyntaxError if it is none."""
    tree = ast.parse(source)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    ours = (name for name in names if name.partition(".")[0] == PACKAGE)
    return Parsed(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(sorted(ours)))


class Memory:
    """Parsed files by their content, remembered in a file.

    Processes that remember at once replace the file by what each of them knows. None is the
    worse for it: an entry holds for its content, wherever it comes from.
    """

    def __init__(self, path: Path | None):
        """Remember what a file holds; none, or one that is missing or damaged, holds nothing."""
        self._path = path
        self._held = {} if path is None else _read(path)
        self._met: dict[str, list[str]] = {}
        self._is_new = False

    def parsed(self, source: bytes) -> Parsed:
        """Return what a Python file holds. Raises SyntaxError if it is none."""
        key = hashlib.sha256(f"{_FORM} {sys.version} ".encode() + source).hexdigest()
        if key not in self._held:
            made = parsed(source)
            self._held[key] = [made.digest, *made.names]
            self._is_new = True
        self._met[key] = self._held[key]
        digest, *names = self._held[key]
        return Parsed(digest, tuple(names))

    def keep(self) -> None:
        """Write the file if there is anything new, and if it can be written."""
        if not self._is_new or self._path is None:
            return
        self._is_new = False
        known = self._held if len(self._held) <= _MOST else self._met
        try:
            write_bytes(self._path, compact_json(known))
        except OSError as error:
            log.debug("code is parsed anew each time: %s", error)


def memory_path() -> Path | None:
    """Return where files are remembered: in the user's cache. None without a home folder."""
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(cache, PACKAGE, "code.json")


def _read(path: Path) -> dict[str, list[str]]:
    try:
        held = read_json(path)
    except (OSError, ValueError):
        return {}
    entries = held.items() if isinstance(held, dict) else ()
    return {key: entry for key, entry in entries if _is_whole(entry)}


def _is_whole(entry: object) -> bool:
    return isinstance(entry, list) and bool(entry) and all(isinstance(text, str) for text in entry)
