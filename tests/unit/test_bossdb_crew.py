"""Threads that stop when they are told to, and tell the first fault."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from brainpublish.bossdb.crew import Stopped, for_each, interruptible
from brainpublish.halts import Interrupted


def test_results_come_in_order():
    assert for_each(lambda each: each * 2, range(50), 7, threading.Event()) == [*range(0, 100, 2)]
    assert for_each(len, [], 3, threading.Event()) == []


def test_first_fault_ends_the_work():
    done, stopping = [], threading.Event()

    def task(number):
        if number == 5:
            raise KeyError("five")
        done.append(number)

    with pytest.raises(KeyError, match="five"):
        for_each(task, range(10_000), 1, stopping)
    assert done == [0, 1, 2, 3, 4]
    assert stopping.is_set()


def test_tasks_that_were_given_up_are_no_fault_of_their_own():
    stopping = threading.Event()

    def task(number):
        if number == 0:
            raise KeyError("the cause")
        stopping.wait()
        raise Stopped

    with pytest.raises(KeyError, match="the cause"):
        for_each(task, range(4), 4, stopping)


def test_work_that_someone_else_stopped_returns_no_half_of_it():
    stopping = threading.Event()
    with pytest.raises(Stopped):
        for_each(lambda number: number < 3 or stopping.set(), range(9), 1, stopping)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_waiting_work_at_once_with_a_plain_text(number):
    code = (
        "import os, threading\n"
        "from brainpublish.bossdb.crew import *\n"
        "stopping = threading.Event()\n"
        "def task(_):\n"
        # Not printed: what a thread still holds at the end of a process makes that fail.
        "    os.write(1, b'working\\n')\n"
        "    threading.Event().wait()\n"
        "try:\n"
        "    with interruptible():\n"
        "        for_each(task, [1], 1, stopping)\n"
        "except Interrupted as stop:\n"
        "    print(stop)\n"
    )
    job = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert job.stdout.readline() == "working\n"
    begun = time.monotonic()
    os.kill(job.pid, number)
    time.sleep(0.1)
    os.kill(job.pid, signal.SIGTERM)
    told, _ = job.communicate(timeout=60)
    assert job.returncode == 0
    assert f"Stopped by {number.name}. What was sent so far is recorded." in told
    assert time.monotonic() - begun < 30


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_after_the_first_signal_others_are_ignored():
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(Interrupted), interruptible():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
