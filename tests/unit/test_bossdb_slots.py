"""So many requests in flight, over threads and processes; a killed process holds none."""

import errno
import subprocess
import sys
import threading
import time

import pytest

from brainpublish import locks
from brainpublish.bossdb import slots as slots_module
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


def test_one_thread_looks_for_slots_of_others(tmp_path, monkeypatch):
    looks, plain = [], slots_module.locked
    other, slots, stopping = Slots(1, tmp_path), Slots(1, tmp_path), threading.Event()
    handle = slots._handles[0]

    def look(file, kind):
        if file == handle:
            looks.append(file)
        return plain(file, kind)

    monkeypatch.setattr(slots_module, "locked", look)
    got = []

    def wait():
        with slots.one(stopping) as held:
            got.append(held)

    threads = [threading.Thread(target=wait) for _ in range(12)]
    with other.one(NEVER):
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        seconds, count = time.monotonic() - begun, len(looks)
    for thread in threads:
        thread.join()
    assert got == [True] * 12
    # The others look as they come, and now and then whether they are to stop.
    often = seconds / slots_module.LOOK_SECONDS + 12 * (2 + seconds / slots_module.STOP_SECONDS)
    assert 1 < count <= often


def test_process_with_less_than_its_share_is_left_the_next_slot(tmp_path):
    greedy, waiting, stopping = Slots(2, tmp_path), Slots(2, tmp_path), threading.Event()
    held = [greedy._take(NEVER), greedy._take(NEVER)]
    got = []
    thread = threading.Thread(target=lambda: got.append(waiting._take(stopping)))
    thread.start()
    while not waiting._hungry:
        time.sleep(0.001)
    greedy._release(held.pop())
    assert greedy._one_that_is_free() is None
    thread.join()
    assert got[0] is not None
    # Both have half of them now: each keeps its own.
    greedy._release(held.pop())
    assert greedy._take(NEVER) is not None


def test_slots_where_a_file_system_has_no_locks(tmp_path, monkeypatch, caplog):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    slots, stopping = Slots(1, tmp_path), threading.Event()
    assert "has no locks" in caplog.text
    with slots.one(NEVER) as held:
        assert held
        threading.Timer(0.05, stopping.set).start()
        assert waited(slots, stopping) is False
    assert waited(slots, NEVER) is True
