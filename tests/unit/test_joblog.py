"""What a job says when the machine fails, rather than the input."""

import errno
import os

import pytest

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
