"""One run in a working directory at a time, and what its jobs know of it.

A run that is killed leaves jobs behind that go on by themselves. The next run waits until they
ended, for they would write old things over new ones. Jobs hold a shared lock while they work,
which the system lets go of however they end; and each knows the id of its run, so that one that
begins late, or may end early, learns that its run is over.
"""

import contextlib
import fcntl
import functools
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal
from brainpublish.locks import NoLocks, locked

log = logging.getLogger(__name__)

FOLDER = Path(".snakemake", "brainpublish")
VARIABLE = "BRAINPUBLISH_RUN"
SAY_SECONDS = 10

OVER = (
    "This job belongs to a run that was killed, and another run has begun since: it ends here, "
    "and the other run does its work."
)
_BY_HAND = secrets.token_hex(8)


def begin_run(say: Callable[[str], None]) -> int:
    """Make this process the one run of the working directory, once all earlier jobs ended.

    Args:
        say: takes a line for the person who waits.

    Returns:
        The handle of a lock that ends with this process, however it ends.

    Raises:
        Refusal: if another run is going on.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    held = _run_lock()
    if not _locked(held, fcntl.LOCK_EX | fcntl.LOCK_NB):
        os.close(held)
        raise Refusal(f"Another run is going on in this folder{_holder()}. Wait for it to end.")
    os.environ[VARIABLE] = _new_id()
    _wait_for_jobs(say)
    return held


def end_left_over_jobs(say: Callable[[str], None]) -> None:
    """Wait for jobs of a run that was killed, before it is looked at what is there.

    A job that ends while a run is being planned is half seen: what it made is there, but that
    it was left undone is not. Jobs of a run that goes on are not waited for.

    Args:
        say: takes a line for the person who waits.
    """
    if not _id_path().exists():
        return
    held = _run_lock()
    try:
        # Without locks, the run may be the one that this is a part of.
        if _locked(held, fcntl.LOCK_EX | fcntl.LOCK_NB, without=False):
            _new_id()
            _wait_for_jobs(say)
    finally:
        os.close(held)


@contextlib.contextmanager
def working_for_run() -> Iterator[None]:
    """Be a job of the run for as long as the block lasts.

    Raises:
        Refusal: if another run has begun since.
    """
    if not _id_path().exists():
        # Begun by hand: there is no run to be a part of.
        yield
        return
    with (FOLDER / "jobs.lock").open("a") as handle:
        _locked(handle.fileno(), fcntl.LOCK_SH)
        # A cluster may not pass the environment on.
        os.environ.setdefault(VARIABLE, read_json(_id_path())["run"])
        require_run()
        yield


def run_id() -> str:
    """Return the id of the run that this process works for, or one of its own without a run."""
    return os.environ.get(VARIABLE) or _written() or _BY_HAND


def require_run() -> None:
    """Stop if another run has begun since this process did.

    Raises:
        Refusal: if so.
    """
    if _written() not in (None, run_id()):
        raise Refusal(OVER)


def on_end_by_signal(call: Callable[[str], None]) -> None:
    """Have a function called with a signal's name when this process is told to end.

    It is called in a thread of its own, and for SIGTERM in place of any handler: one runs in the
    midst of what the main thread does, which may hold a lock that the handler waits for. That of
    Snakemake does so, and both then waited without end. Ctrl-C stays as it is.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda *_: None)

    def listen() -> None:
        while number := receiver.recv(1):
            if number[0] in (signal.SIGTERM, signal.SIGINT):
                call(signal.Signals(number[0]).name)

    threading.Thread(target=listen, daemon=True).start()


def _id_path() -> Path:
    return FOLDER / "run.json"


def _run_lock() -> int:
    return os.open(FOLDER / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)


def _new_id() -> str:
    # Written down before jobs are waited for: those that look at it end sooner.
    run = secrets.token_hex(8)
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    write_json(_id_path(), {"run": run, "host": socket.gethostname(), "since": since})
    return run


def _holder() -> str:
    """Say where and since when the run goes on that was the last to begin here."""
    held = read_json(_id_path()) if _id_path().exists() else {}
    return f" ({held['host']}, since {held['since']})" if {"host", "since"} <= {*held} else ""


def _written() -> str | None:
    try:
        return read_json(_id_path())["run"]
    except FileNotFoundError:
        return None


def _wait_for_jobs(say: Callable[[str], None]) -> None:
    handle = os.open(FOLDER / "jobs.lock", os.O_RDWR | os.O_CREAT, 0o644)
    said = -SAY_SECONDS
    try:
        while not _locked(handle, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if time.monotonic() - said >= SAY_SECONDS:
                said = time.monotonic()
                say(
                    "Jobs of an earlier run, which was killed, are still at work. Waiting for them."
                )
            time.sleep(0.1)
    finally:
        os.close(handle)


def _locked(handle: int, kind: int, without: bool = True) -> bool:
    """Say whether a lock could be had; `without` is the answer of a file system that has none."""
    try:
        return locked(handle, kind)
    except NoLocks:
        _warn_of_no_locks()
        return without


@functools.cache
def _warn_of_no_locks() -> None:
    log.warning(
        "The file system of this folder has no locks: nothing keeps two runs in it from working at "
        "the same time. Begin a second one only when the first one, and its jobs, have ended."
    )
