import ctypes
import faulthandler
import os
import signal
import time

import pytest

from brainpublish.slices.guarded import CRASH, MEMORY, TIME, Broken, Limits, guarded_map
from brainpublish.slices.header import UnreadableSlice

LIMITS = Limits(seconds=20, memory=2**30)


def test_results_come_in_order_from_other_processes():
    results = guarded_map(lambda item: (item * item, os.getpid()), range(20), 3, LIMITS)
    assert [square for square, _ in results] == [n * n for n in range(20)]
    assert os.getpid() not in {pid for _, pid in results}


@pytest.mark.parametrize(
    ("kind", "harm"),
    [
        (TIME, lambda: time.sleep(60)),
        (MEMORY, lambda: bytearray(2**31)),
        (MEMORY, lambda: os.kill(os.getpid(), signal.SIGKILL)),
        # The tests' own handler would tell of it at length.
        (CRASH, lambda: (faulthandler.disable(), ctypes.string_at(0))),
    ],
)
def test_a_lost_process_costs_one_item_only(kind, harm):
    def work(item):
        return harm() if item == 2 else item

    results = guarded_map(work, range(6), 2, Limits(seconds=0.5, memory=2**30))
    assert isinstance(results[2], Broken)
    assert results[2].kind == kind
    assert [each for each in results if not isinstance(each, Broken)] == [0, 1, 3, 4, 5]


def test_what_a_function_raises_is_raised_here():
    def refuse(item):
        raise UnreadableSlice("SLICE_TYPE", f"item {item}")

    with pytest.raises(UnreadableSlice, match="item 0") as refused:
        guarded_map(refuse, [0], 1, LIMITS)
    assert refused.value.code == "SLICE_TYPE"
