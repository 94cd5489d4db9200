"""A halt that one job calls, so that no other job of the run asks a server that is at its quota.

It is a file with the id of the run, so it ends with the run, however that ends.
"""

from pathlib import Path

from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal
from brainpublish.runs import require_run, run_id


class Halts:
    """The halt of the run that a process works for."""

    def __init__(self, folder: str | Path | None = None):
        """Make one.

        Args:
            folder: where the run keeps what its jobs share, or None to work for no run.
        """
        self._path = folder and Path(folder, "halt.json")
        self._mine = False

    def call(self, reason: str) -> None:
        """Let all other jobs of the run stop sending."""
        if self._path:
            self._mine = True
            write_json(self._path, {"run": run_id(), "reason": reason})

    def require_none(self) -> None:
        """Stop if another job of the run called a halt, or if the run is over.

        Raises:
            Refusal: with the reason.
        """
        if not self._path or self._mine:
            return
        require_run()
        try:
            called = read_json(self._path)
        except FileNotFoundError:
            return
        if called["run"] == run_id():
            raise Refusal(f"Not sent, because another job of this run met: {called['reason']}")
