"""One run in a folder; jobs of a run that was killed neither disturb the next nor go on."""

import errno
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brainpublish import halts as halts_module
from brainpublish import locks, runs
from brainpublish.bossdb.crew import interruptible
from brainpublish.findings import Refusal
from brainpublish.halts import Halts, ending_with_run
from brainpublish.runs import (
    FOLDER,
    VARIABLE,
    begin_run,
    end_left_over_jobs,
    require_run,
    working_for_run,
)

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

    begin.end = end
    yield begin
    end()


def test_second_run_is_refused_while_the_first_goes_on(begin):
    begin()
    with pytest.raises(Refusal, match=r"Another run is going on in this folder \(.+, since 20.+\)"):
        begin_run(print)
    begin()


def test_jobs_of_a_run_that_was_killed_are_waited_for_before_the_next_is_planned(begin):
    begin()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    job = subprocess.Popen([sys.executable, "-c", JOB], text=True, **pipes)
    assert job.stdout.readline() == "at work\n"
    said = []
    # The run goes on: its jobs are in nobody's way.
    end_left_over_jobs(said.append)
    assert said == []
    begin.end()
    threading.Timer(0.5, job.kill).start()
    begun = time.monotonic()
    end_left_over_jobs(said.append)
    assert time.monotonic() - begun > 0.4
    assert len(said) == 1
    job.communicate()
    begin(said.append)
    assert len(said) == 1


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


def test_run_in_a_folder_without_locks_goes_on_with_a_warning(begin, monkeypatch, caplog):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    runs._warn_of_no_locks.cache_clear()
    begin()
    end_left_over_jobs(print)
    with working_for_run():
        require_run()
    (record,) = caplog.records
    assert "has no locks" in record.message


def test_halt_holds_for_all_other_jobs_until_the_run_ends(begin):
    begin()
    caller, other = Halts(FOLDER), Halts(FOLDER)
    other.require_none()
    caller.call("a quota.")
    caller.require_none()
    for halts in (other, Halts(FOLDER)):
        with pytest.raises(Refusal, match=r"Not sent: a quota\."):
            halts.require_none()
    begin()
    Halts(FOLDER).require_none()


def test_halt_of_no_run_is_not_heard(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Halts().call("a quota.")
    Halts().require_none()
    assert list(tmp_path.iterdir()) == []


def test_halt_ends_a_job_whose_server_hangs(begin, monkeypatch):
    begin()
    monkeypatch.setattr(halts_module, "LOOK_SECONDS", 0.05)
    caller = threading.Timer(0.2, Halts(FOLDER).call, ["a quota."])
    caller.start()
    # What it is ended by stays ignored: see `interruptible`.
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    with pytest.raises(Refusal, match=r"Not sent: a quota\."):
        _work_on(Halts(FOLDER))
    caller.join()
    for each, handler in before.items():
        signal.signal(each, handler)


def _work_on(halts: Halts) -> None:
    with interruptible(), halts.heard():
        time.sleep(20)


def test_run_that_is_told_to_end_ends_work_that_no_quota_does(begin, monkeypatch):
    begin()
    monkeypatch.setattr(halts_module, "LOOK_SECONDS", 0.05)
    with ending_with_run():
        Halts(FOLDER).call("a quota.")
        time.sleep(0.3)
    told = threading.Timer(0.2, Halts(FOLDER).call_for_signal, ["SIGTERM"])
    told.start()
    with pytest.raises(KeyboardInterrupt), ending_with_run():
        time.sleep(20)
    told.join()
    with pytest.raises(Refusal, match="the run was told to end by SIGTERM"):
        Halts(FOLDER).require_none()


def test_end_by_signal_waits_for_what_the_main_thread_holds(begin):
    begin()
    script = (
        "import os, signal, threading, time\n"
        "from brainpublish.runs import on_end_by_signal\n"
        "held, told = threading.Lock(), threading.Event()\n"
        "def end(name):\n"
        "    with held:\n"
        "        os.write(1, f'{name}\\n'.encode())\n"
        "    told.set()\n"
        "signal.signal(signal.SIGTERM, lambda *_: end('by a handler'))\n"
        "on_end_by_signal(end)\n"
        "with held:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(1)\n"
        "    os.write(1, b'done\\n')\n"
        "told.wait()\n"
    )
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert rest == "done\nSIGTERM\n"
    assert process.returncode == 0
