"""So many requests in flight, over threads and processes; a killed process holds none."""

import subprocess
import sys
import threading

import pytest

from brainpublish.bossdb.slots import Slots

NEVER = threading.Event()
HOLDER = (
    "import sys, threading\n"
    "from brainpublish.bossdb.slots import Slots\n"
    "slots = Slots(2, sys.argv[1])\n"
    "with slots.one(threading.Event()):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def holder(folder) -> subprocess.Popen:
    """Begin a process that holds a slot until it is killed."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], text=True, **pipes)
    assert process.stdout.readline() == "held\n"
    return process


def free(slots: Slots) -> int:
    """Count the slots that can be had now."""
    taken = []
    while (number := next((n for n in sorted(slots._free) if slots._locked(n)), None)) is not None:
        slots._free.remove(number)
        taken.append(number)
    for number in taken:
        slots._release(number)
    return len(taken)


@pytest.mark.parametrize("shared", [False, True])
def test_no_more_threads_than_slots(tmp_path, shared):
    slots, guard, inside, most = Slots(3, tmp_path if shared else None), threading.Lock(), [], []

    def work():
        for _ in range(20):
            with slots.one(NEVER) as held:
                assert held
                with guard:
                    inside.append(1)
                    most.append(len(inside))
                with slots.one(NEVER) as again, guard:
                    assert again
                    inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 160
    assert max(most) <= 3
    assert free(slots) == 3


def test_processes_share_and_a_killed_one_gives_back(tmp_path):
    slots = Slots(2, tmp_path)
    first, second = holder(tmp_path), holder(tmp_path)
    assert free(slots) == 0
    first.kill()
    first.communicate()
    assert free(slots) == 1
    with slots.one(NEVER) as held:
        assert held
        assert free(slots) == 0
    second.kill()
    second.communicate()
    assert free(slots) == 2


def test_waiting_ends_when_told_to():
    slots, stopping = Slots(1), threading.Event()
    with slots.one(NEVER):
        threading.Timer(0.05, stopping.set).start()
        assert waited(slots, stopping) is False


def waited(slots, stopping) -> bool:
    """Say whether another thread got a slot."""
    got = []

    def wait():
        with slots.one(stopping) as held:
            got.append(held)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    return got[0]
