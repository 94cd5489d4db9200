"""Which code a rule runs: where jobs find it, and a digest, so that edits re-run what they affect.

Snakemake looks at a script's time, which a fresh clone changes, and not at all at the
modules that it imports. The digest is a parameter of the rule instead.
"""

import ast
import functools
import hashlib
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "brainpublish"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


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
        digest.update(path.name.encode() + _parsed(path).code.encode())
    return digest.hexdigest()


def _reachable(script: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            names = _parsed(path).names
            waiting += (file for name in names for file in _files_of(name, script.parent))
    return found


@dataclass(frozen=True)
class _Parsed:
    """A module's code without docstrings, and the names of ours that it imports."""

    code: str
    names: frozenset[str]


@functools.cache
def _parsed(path: Path) -> _Parsed:
    tree = ast.parse(path.read_text(encoding="utf-8"))
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
    return _Parsed(ast.dump(tree), frozenset(ours))


@functools.cache
def _files_of(module: str, root: Path) -> tuple[Path, ...]:
    """Return a module's file and those of the packages it is in."""
    parts = module.split(".")
    stems = (root.joinpath(*parts[:count]) for count in range(1, len(parts) + 1))
    places = ((stem.with_suffix(".py"), stem / "__init__.py") for stem in stems)
    return tuple(file for pair in places for file in pair if file.is_file())
