"""The ledger never says that a server holds what it does not hold."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.ledger import (
    BLANK,
    DOUBT,
    UNKNOWN,
    ChannelRecord,
    Entry,
    SlabLedger,
    begin_ledger,
    new_marker,
)

BOXES = list(cuboids_of((40, 600, 600), range(40)))
ONE, TWO = BOXES[0], BOXES[-1]


@pytest.fixture
def folder(tmp_path):
    begin_ledger(tmp_path, "m", 40, BLANK)
    return tmp_path


def opened(folder, marker="m", boxes=BOXES):
    return SlabLedger(folder, boxes, marker)


def test_channel_made_by_us_holds_zeros_until_written(folder):
    with opened(folder) as ledger:
        assert [ledger.entry_of(box) for box in BOXES] == [None] * len(BOXES)
        assert not any(map(ledger.is_unknown, BOXES))


def test_ledger_of_a_channel_that_no_read_tells_of_doubts_all_but_what_it_recorded(tmp_path):
    begin_ledger(tmp_path, "m", 40, DOUBT)
    for _ in range(2):
        with opened(tmp_path) as ledger:
            assert not any(map(ledger.is_unknown, BOXES))
            ledger.verify({ONE: "a"})
            assert ledger.entry_of(ONE) == Entry("a", verified=True)
            assert {ledger.entry_of(box) for box in BOXES if box != ONE} == {Entry(DOUBT)}


@pytest.mark.parametrize("blank", [True, False])
def test_ledger_of_an_older_version_is_believed(tmp_path, blank):
    head = {"marker": "m", "blank": blank}
    path = tmp_path / "z000000.jsonl"
    path.write_text(f'{json.dumps(head)}\n["{ONE.key}", "a", true]\n')
    with opened(tmp_path, boxes=BOXES[:4]) as ledger:
        assert ledger.entry_of(ONE) == Entry("a", verified=True)
        assert ledger.is_unknown(BOXES[1]) is not blank


def test_what_was_recorded_is_there_after_opening_again(folder):
    with opened(folder) as ledger:
        ledger.doubt(ONE, TWO)
        ledger.hold({ONE: "a"})
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry("a", verified=False)
        assert ledger.entry_of(TWO) == Entry(DOUBT)
        ledger.verify({ONE: "a", TWO: "b"})
        ledger.doubt(TWO)
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry("a", verified=True)
        assert ledger.entry_of(TWO) == Entry(DOUBT)
        assert not ledger.is_unknown(BOXES[1])


def test_lost_file_of_one_layer_puts_that_layer_in_doubt(folder):
    with opened(folder) as ledger:
        ledger.hold(dict.fromkeys(BOXES, "a"))
    (folder / "z000016.jsonl").unlink()
    with opened(folder) as ledger:
        doubted = [box for box in BOXES if ledger.entry_of(box) == Entry(DOUBT)]
        assert not any(map(ledger.is_unknown, BOXES))
    assert doubted == [box for box in BOXES if box.start[0] == 16]


def test_what_is_unknown_is_no_more_so_once_it_was_written(tmp_path):
    begin_ledger(tmp_path, "m", 40, UNKNOWN)
    for known in ([], [ONE]):
        with opened(tmp_path) as ledger:
            assert [box for box in BOXES if not ledger.is_unknown(box)] == known
            ledger.hold({ONE: "a"})


@pytest.mark.parametrize("marker", ["other", ""])
def test_another_marker_voids_it(folder, marker):
    with opened(folder) as ledger:
        ledger.verify({ONE: "a"})
    with opened(folder, marker) as ledger:
        assert {ledger.entry_of(box) for box in BOXES} == {Entry(DOUBT)}
        ledger.hold({ONE: "b"})
    with opened(folder, marker) as ledger:
        assert ledger.entry_of(ONE) == Entry("b")
        assert ledger.entry_of(BOXES[1]) == Entry(DOUBT)
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry(DOUBT)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"\x00" * 50 + b"\n",
        b'{"marker": "m", "rest": "blank"}\nx\n',
        b'{"marker": "m", "rest": 1}\n',
    ],
)
def test_damaged_file_tells_nothing(folder, text):
    (folder / "z000000.jsonl").write_bytes(text)
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry(DOUBT)
        ledger.hold({ONE: "a"})
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry("a")


def test_another_slab_depth_finds_the_same_entries(folder):
    with opened(folder, boxes=[box for box in BOXES if box.start[0] == 16]) as ledger:
        ledger.hold({BOXES[4]: "a"})
    with opened(folder) as ledger:
        assert ledger.entry_of(BOXES[4]) == Entry("a")


@given(cut=st.integers(0, 400))
def test_killed_between_any_two_bytes_a_written_cuboid_is_never_believed_too_much(
    tmp_path_factory, cut
):
    folder = tmp_path_factory.mktemp("ledger")
    begin_ledger(folder, "m", 16, BLANK)
    with opened(folder, boxes=BOXES[:4]) as ledger:
        ledger.doubt(ONE)
        path = folder / "z000000.jsonl"
        floor = path.stat().st_size
        ledger.hold({ONE: "a"})
        ledger.doubt(ONE)
        ledger.hold({ONE: "b"})
    os.truncate(path, max(floor, path.stat().st_size - cut))
    # Sent was: something (doubt), which became a, then b. It is never taken for blank.
    with opened(folder, boxes=BOXES[:4]) as ledger:
        assert not ledger.is_unknown(ONE)
        assert ledger.entry_of(ONE) in (Entry(DOUBT), Entry("a"), Entry("b"))
        ledger.hold({ONE: "c"})
    with opened(folder, boxes=BOXES[:4]) as ledger:
        assert ledger.entry_of(ONE) == Entry("c")


def test_doubt_is_on_disk_before_it_returns(folder, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    with opened(folder, boxes=BOXES[:4]) as ledger:
        ledger.doubt(ONE)
        ledger.hold({ONE: "a"})
        before = len(synced)
        ledger.doubt(ONE)
        assert len(synced) == before + 1
        assert synced[-1] == (folder / "z000000.jsonl").stat().st_size


def test_record_tells_a_channel_in_the_making_from_a_finished_one(tmp_path):
    marker = new_marker()
    assert ChannelRecord(tmp_path).marker is None
    ChannelRecord(tmp_path).write(marker, finished=False)
    assert ChannelRecord(tmp_path).marker == marker
    assert not ChannelRecord(tmp_path).finished
    ChannelRecord(tmp_path).write(marker, finished=True)
    assert ChannelRecord(tmp_path).finished
    assert new_marker() != marker
