"""Which code a rule runs: where jobs find it, and a digest, so that edits re-run what they affect.

Snakemake looks at a script's time, which a fresh clone changes, and not at all at the
modules that it imports. The digest is a parameter of the rule instead.
"""

import functools
import hashlib
import os
import shlex
import sys
from pathlib import Path

from brainpublish.parsedcode import PACKAGE, Memory, Parsed, memory_path


def run_jobs_from(folder: str | Path) -> None:
    """Let the jobs of this process import the package from a folder.

    Snakemake puts a script's folder last on the path, where an installed package of another
    version would be found first. And it writes the interpreter's path into a job's shell
    command as it stands, so that one with a blank in it has to bring its own quotes.
    """
    sys.executable = shlex.quote(sys.executable)
    held = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), held]))


def code_digest(script: str | Path) -> str:
    """Return the sha256 of a script and of every module of this package it leads to.

    Comments, blank lines and docstrings do not count: the digest is of the parsed code.
    """
    script = Path(script)
    digest = hashlib.sha256()
    for path in sorted(_reachable(script)):
        digest.update(path.name.encode() + _parsed(path).digest.encode())
    _memory().keep()
    return digest.hexdigest()


def _reachable(script: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = {script}
    while waiting:
        found |= waiting
        waiting = set().union(*(_imported_by(path, script.parent) for path in waiting)) - found
    return found


@functools.cache
def _imported_by(path: Path, root: Path) -> frozenset[Path]:
    """Return the files of the modules that a file imports, and of the packages they are in."""
    modules = _modules(root)
    named = (name.split(".") for name in _parsed(path).names)
    above = {".".join(parts[:count]) for parts in named for count in range(1, len(parts) + 1)}
    return frozenset(modules[name] for name in above if name in modules)


@functools.cache
def _modules(root: Path) -> dict[str, Path]:
    """Return the file of each module of this package, by its name."""
    files = root.joinpath(PACKAGE).rglob("*.py")
    parts = ((file, file.relative_to(root).with_suffix("").parts) for file in files)
    return {
        ".".join(names[:-1] if names[-1] == "__init__" else names): file for file, names in parts
    }


@functools.cache
def _parsed(path: Path) -> Parsed:
    return _memory().parsed(path.read_bytes())


@functools.cache
def _memory() -> Memory:
    return Memory(memory_path())
