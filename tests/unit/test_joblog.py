"""What a job says when the machine fails, rather than the input."""

import errno
import io
import os
import sys

import pytest

from brainpublish.bossdb.progress import to_console
from brainpublish.findings import Refusal
from brainpublish.joblog import job_log


def said(tmp_path, capsys, error):
    with pytest.raises(SystemExit), job_log(tmp_path / "a.log"):
        raise error
    assert "Traceback" in (tmp_path / "a.log").read_text()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "The disk is full. Free some space; "),
        (OSError(errno.EDQUOT, "over quota", "a/b"), "The disk is full (a/b)."),
        (OSError(errno.ESTALE, "Stale file handle", "z3.tif"), "(z3.tif): Stale file handle."),
        (MemoryError(), "There is too little memory."),
    ],
)
def test_faults_of_the_machine_are_told_in_plain_words(tmp_path, capsys, error, text):
    told = said(tmp_path, capsys, error)
    assert text in told
    assert "the same command goes on" in told
    assert "Unexpected" not in told


def test_other_faults_are_named_as_they_are(tmp_path, capsys):
    assert "Unexpected KeyError: 'x'" in said(tmp_path, capsys, KeyError("x"))


def test_ctrl_c_is_told_in_the_log_alone(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended, job_log(tmp_path / "a.log"):
        raise KeyboardInterrupt
    assert ended.value.code == 130
    log = (tmp_path / "a.log").read_text()
    assert "Stopped by Ctrl-C, or with its run. The same command goes on" in log
    assert "Traceback" not in log + capsys.readouterr().err


class Gone(io.StringIO):
    """A terminal that was closed, or a pipe that nobody reads any more."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error

    def flush(self):
        raise self.error


GONE = [
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    OSError(errno.EIO, "Input/output error"),
    ValueError("I/O operation on closed file."),
]


@pytest.mark.parametrize("error", GONE)
def test_console_that_is_gone_ends_no_work(tmp_path, monkeypatch, error):
    monkeypatch.setattr(sys, "stderr", Gone(error))
    monkeypatch.setattr(sys, "__stderr__", Gone(error))
    to_console("halfway")
    with job_log(tmp_path / "well.log"):
        to_console("done")
    with pytest.raises(SystemExit), job_log(tmp_path / "refused.log"):
        raise Refusal("the quota is reached")
    assert "the quota is reached" in (tmp_path / "refused.log").read_text()
    with pytest.raises(SystemExit), job_log(tmp_path / "failed.log"):
        raise KeyError("x")


def test_process_without_a_console_can_work(monkeypatch):
    monkeypatch.setattr(sys, "__stderr__", None)
    to_console("halfway")
