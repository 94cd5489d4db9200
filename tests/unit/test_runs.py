"""One run in a folder; jobs of a run that was killed neither disturb the next nor go on."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brainpublish import runs
from brainpublish.bossdb.halts import Halts
from brainpublish.findings import Refusal
from brainpublish.runs import FOLDER, VARIABLE, FolderTaken, begin_run, require_run, working_for_run

JOB = (
    "import sys\n"
    "from brainpublish.runs import working_for_run\n"
    "with working_for_run():\n"
    "    print('at work', flush=True)\n"
    "    sys.stdin.read()\n"
)


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Begin a run in an empty folder; each ends when the next one is begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "none yet")
    held = []

    def begin(say=print):
        end()
        held.append(begin_run(say))

    def end():
        while held:
            runs.os.close(held.pop())

    yield begin
    end()


def test_second_run_is_refused_while_the_first_goes_on(begin):
    begin()
    with pytest.raises(FolderTaken):
        begin_run(print)
    begin()


def test_run_waits_for_jobs_of_one_that_was_killed(begin):
    begin()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    job = subprocess.Popen([sys.executable, "-c", JOB], text=True, **pipes)
    assert job.stdout.readline() == "at work\n"
    said = []
    threading.Timer(0.5, job.kill).start()
    begun = time.monotonic()
    begin(said.append)
    assert time.monotonic() - begun > 0.4
    assert len(said) == 1
    job.communicate()


def test_job_of_a_run_that_is_over_ends(begin, monkeypatch):
    begin()
    old = runs.run_id()
    with working_for_run():
        require_run()
    begin()
    monkeypatch.setenv(VARIABLE, old)
    with pytest.raises(Refusal, match="a run that was killed"), working_for_run():
        pytest.fail("it works")
    with pytest.raises(Refusal, match="a run that was killed"):
        Halts(FOLDER).require_none()


def test_script_that_was_begun_by_hand_needs_no_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with working_for_run():
        assert not Path(FOLDER).exists()


def test_job_whose_environment_was_not_passed_on_knows_its_run(begin, monkeypatch):
    begin()
    run = runs.run_id()
    monkeypatch.delenv(VARIABLE)
    with working_for_run():
        assert runs.os.environ[VARIABLE] == run


def test_halt_holds_for_all_other_jobs_until_the_run_ends(begin):
    begin()
    caller, other = Halts(FOLDER), Halts(FOLDER)
    other.require_none()
    caller.call("a quota.")
    caller.require_none()
    for halts in (other, Halts(FOLDER)):
        with pytest.raises(Refusal, match=r"another job of this run met: a quota\."):
            halts.require_none()
    begin()
    Halts(FOLDER).require_none()


def test_halt_of_no_run_is_not_heard(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Halts().call("a quota.")
    Halts().require_none()
    assert list(tmp_path.iterdir()) == []
