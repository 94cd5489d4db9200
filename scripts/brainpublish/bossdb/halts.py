"""A halt for all uploads of a run: a quota that one of them met, or a signal to the run.

It is a file with the id of the run, so it ends with the run, however that ends.
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from brainpublish.files import read_json_object, write_json
from brainpublish.findings import Refusal
from brainpublish.runs import require_run, run_id

log = logging.getLogger(__name__)

LOOK_SECONDS = 1


SIGNALLED = "the run was told to end by {}. Run the same command again; it goes on from there."


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
        called = read_json_object(self._path)
        if called.get("run") == run_id():
            raise Refusal(f"Not sent: {called.get('reason')}")

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """End this process by SIGTERM when a halt is called, even while a server hangs."""
        ended = threading.Event()

        def listen() -> None:
            while not ended.wait(LOOK_SECONDS):
                try:
                    self.require_none()
                except Refusal as refusal:
                    log.warning("%s", refusal)
                    os.kill(os.getpid(), signal.SIGTERM)
                    return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield
        finally:
            ended.set()
            listener.join()
