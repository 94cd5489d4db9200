"""Progress of a whole run, seen by the files that its jobs leave."""

import time

import pytest

from brainpublish import overall
from brainpublish.overall import DECODED, SENT, Overall, SlabWork, watch


class Run:
    """Four slabs of a run that is watched: the last two of three times the weight."""

    def __init__(self, overlap=True, kinds=(DECODED, SENT), files=()):
        self.now, self.files = 0.0, dict(files)
        slabs = [SlabWork(kind, f"{kind}/{i}", 1 + i // 2 * 2) for kind in kinds for i in range(4)]
        self.overall = Overall(slabs, overlap, lambda: self.now, self.files.get)

    def at(self, now, *outputs):
        """Let outputs be written anew by a moment, and return what is told then."""
        self.now = now
        self.files |= dict.fromkeys(outputs, f"written at {now}")
        self.overall.look()
        return self.overall.text()


def test_nothing_is_said_of_the_time_left_before_anything_is_done():
    assert Run().at(5) == "So far 0 of 4 slabs decoded (0%), 0 of 4 slabs sent (0%)"


def test_time_left_is_that_of_the_slower_of_decoding_and_sending():
    run = Run()
    assert run.at(10, "decoded/0") == (
        "So far 1 of 4 slabs decoded (12%), 0 of 4 slabs sent (0%); about 1 min 10 s left to decode"
    )
    # Of eight parts four are decoded in 40 s, and one is sent 30 s after sending could begin.
    assert run.at(40, "decoded/2", "sent/0") == (
        "So far 2 of 4 slabs decoded (50%), 1 of 4 slabs sent (12%); about 3 min 30 s left"
    )
    rest = ["decoded/1", "decoded/3", "sent/1", "sent/2"]
    assert run.at(90, *rest) == (
        "So far 4 of 4 slabs decoded (100%), 3 of 4 slabs sent (62%); about 48 s left"
    )
    assert not run.overall.is_done
    assert run.at(99, "sent/3") == "So far 4 of 4 slabs decoded (100%), 4 of 4 slabs sent (100%)"
    assert run.overall.is_done


def test_small_slabs_that_come_first_tell_nothing_of_the_time_left():
    slabs = [SlabWork(SENT, f"{i}", weight) for i, weight in enumerate((1, 1, 49, 49))]
    files = {}
    run = Overall(slabs, True, lambda: 60.0, files.get)
    files |= {"0": "written", "1": "written"}
    run.look()
    assert run.text() == "So far 2 of 4 slabs sent (2%)"


def test_sending_that_waits_for_all_decoding_is_timed_from_then_on():
    run = Run(overlap=False)
    run.at(600, *(f"decoded/{i}" for i in range(3)))
    run.at(1000, "decoded/3")
    assert run.at(1010, "sent/0").endswith("1 of 4 slabs sent (12%); about 1 min 10 s left")


def test_what_an_earlier_run_left_is_not_counted():
    left = {f"{kind}/{i}": "old" for kind in (DECODED, SENT) for i in range(4)}
    run = Run(files=left)
    assert run.at(5).startswith("So far 0 of 4 slabs decoded (0%), 0 of 4")
    # Snakemake removes an output when its job begins.
    del run.files["decoded/1"]
    assert run.at(6).startswith("So far 0 of 4 slabs decoded")
    assert run.at(7, "decoded/1").startswith("So far 1 of 4 slabs decoded")


@pytest.mark.parametrize("kind", [DECODED, SENT])
def test_only_what_the_run_does_is_told(kind):
    run = Run(kinds=[kind])
    text = run.at(10, f"{kind}/0", f"{kind}/2")
    assert text == f"So far 2 of 4 slabs {kind} (50%); about 10 s left"


def test_a_thread_tells_until_all_is_done(tmp_path, monkeypatch):
    for name in ("FIRST_SECONDS", "CONSOLE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(overall, name, 0.01)
    output, said = tmp_path / "0.json", []
    how_far = watch([SlabWork(SENT, str(output), 1)], True, said.append)
    assert how_far() == "So far 0 of 1 slabs sent (0%)"
    output.write_text("{}")
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and "1 of 1" not in "".join(said[-1:]):
        time.sleep(0.01)
    assert said[-1] == how_far() == "So far 1 of 1 slabs sent (100%)"
    count = len(said)
    time.sleep(0.1)
    assert len(said) == count


def test_a_run_without_slabs_is_not_watched(monkeypatch):
    monkeypatch.setattr(overall.threading, "Thread", None)
    assert watch([], True, print)() == ""
