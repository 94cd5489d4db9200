"""A halt for jobs of a run: what all its uploads would meet, such as a quota, or a signal to it.

It is a file with the id of the run, so it ends with the run, however that ends. What only the
uploads to one channel would meet is a file of that channel's.
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from brainpublish.files import digest_of_json, read_json_object, write_json
from brainpublish.findings import Refusal
from brainpublish.runs import FOLDER, require_run, run_id

log = logging.getLogger(__name__)

LOOK_SECONDS = 1


_SIGNALLED = "the run was told to end by {}. Run the same command again; it goes on from there."


class Interrupted(Refusal):
    """The job was told to end by Ctrl-C or by the system."""


class Halts:
    """The halt of the run that a process works for."""

    def __init__(self, folder: str | Path | None = None):
        """Make one.

        Args:
            folder: where the run keeps what its jobs share, or None to work for no run.
        """
        self._folder = folder and Path(folder)
        self._mine = False

    def call(self, reason: str, channel: str | None = None) -> None:
        """Let all other jobs of the run stop sending, or those that send to one channel."""
        self._write(reason, channel)

    def call_for_signal(self, name: str) -> None:
        """Let all jobs that can end at any moment do so, for the run was told to end."""
        self._write(_SIGNALLED.format(name), None, signal=name)

    def is_for_signal(self) -> bool:
        """Say whether the run was told to end."""
        return "signal" in self._called(None)

    def require_none(self, channel: str | None = None) -> None:
        """Stop if another job of the run called a halt, or if the run is over.

        Args:
            channel: what is sent to, which may be halted alone.

        Raises:
            Refusal: with the reason.
        """
        if not self._folder or self._mine:
            return
        require_run()
        for scope in {None, channel}:
            if called := self._called(scope):
                raise Refusal(f"Not sent: {called.get('reason')}")

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """End this process by SIGTERM when a halt is called, even while a server hangs.

        Raises:
            Refusal: with the reason, where the signal raises `Interrupted`.
        """
        reasons = []

        def is_called() -> bool:
            try:
                self.require_none()
            except Refusal as refusal:
                log.warning("%s", refusal)
                reasons.append(refusal)
            return bool(reasons)

        with _signalled_if(is_called, signal.SIGTERM):
            try:
                yield
            except Interrupted as stop:
                raise (reasons or [stop])[0] from None

    def _write(self, reason: str, channel: str | None, **more: str) -> None:
        if self._folder:
            self._mine = True
            write_json(self._path_of(channel), {"run": run_id(), "reason": reason, **more})

    def _called(self, channel: str | None) -> dict:
        called = read_json_object(self._path_of(channel)) if self._folder else {}
        return called if called.get("run") == run_id() else {}

    def _path_of(self, channel: str | None) -> Path:
        return self._folder / (f"halt-{digest_of_json(channel)}.json" if channel else "halt.json")


@contextlib.contextmanager
def ending_with_run() -> Iterator[None]:
    """End this process as Ctrl-C does, once its run was told to end by a signal.

    Snakemake waits for the jobs that are under way then, and a slab may take a minute.
    """
    halts = Halts(FOLDER)
    # SIGINT may be ignored: what a shell starts in the background inherits that.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _signalled_if(halts.is_for_signal, signal.SIGTERM):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _signalled_if(is_called: Callable[[], bool], number: signal.Signals) -> Iterator[None]:
    """Send this process a signal, once, when something turns true."""
    ended = threading.Event()

    def listen() -> None:
        while not ended.wait(LOOK_SECONDS):
            if is_called():
                os.kill(os.getpid(), number)
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        ended.set()
        listener.join()
