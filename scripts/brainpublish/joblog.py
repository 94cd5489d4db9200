"""The log of one job: everything a script prints, logs or raises lands in its file."""

import contextlib
import logging
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from brainpublish.console import say
from brainpublish.files import is_full, is_passing
from brainpublish.findings import Refusal
from brainpublish.runs import working_for_run

STOPPED = 128 + signal.SIGINT
"""Status of a process that was ended from the keyboard, as shells have it."""

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextlib.contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send prints, log records and a traceback to a job's log file. The job counts as at work.

    A `Refusal` is shown on the console as one plain paragraph and ends the process with
    status 1. Any other exception is a fault of ours or of the machine: its traceback goes
    to the log, one line naming it goes to the console. Ctrl-C is told in the log alone.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    console = sys.stderr
    with path.open("a", encoding="utf-8", buffering=1) as file:
        handler = logging.StreamHandler(file)
        formatter = logging.Formatter(LINE)
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        root = logging.getLogger()
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            with (
                contextlib.redirect_stdout(file),
                contextlib.redirect_stderr(file),
                working_for_run(),
            ):
                yield
        except Refusal as refusal:
            file.write(f"{refusal}\n")
            say(f"\n{refusal}\n\n", console)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            # The one who did it knows, and Snakemake says so once for all jobs.
            file.write(
                "Stopped by Ctrl-C, or with its run. The same command goes on with what is left to "
                "do.\n"
            )
            raise SystemExit(STOPPED) from None
        except Exception as error:
            traceback.print_exc(file=file)
            if reason := _machine_fault(error):
                say(f"\n{reason}\nDetails: {path}\n\n", console)
                raise SystemExit(1) from None
            say(f"\nUnexpected {type(error).__name__}: {error}\nDetails: {path}\n\n", console)
            raise SystemExit(1) from None
        finally:
            root.removeHandler(handler)


def _machine_fault(error: Exception) -> str:
    """Return a plain paragraph for what the machine lacks or what may pass, else nothing."""
    again = "the same command goes on with what is left to do."
    where = f" ({error.filename})" if getattr(error, "filename", None) else ""
    if is_full(error):
        return f"The disk is full{where}. Free some space; {again}"
    if is_passing(error):
        return (
            f"The file system failed{where}: {error.strerror}. Wait until it is back; {again} If "
            "this stays, the disk is damaged: copy the file again from its source."
        )
    if isinstance(error, MemoryError):
        return f"There is too little memory. Give the run fewer `--cores`; {again}"
    return ""
