"""The ledger never says that a server holds what it does not hold."""

import contextlib
import json
import os

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.bossdb import ledger as ledger_module
from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.ledger import (
    BLANK,
    DOUBT,
    UNKNOWN,
    Entry,
    SlabLedger,
    begin_ledger,
)
from brainpublish.bossdb.record import ChannelRecord, new_marker, state_of_channel

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


def _older(path):
    return path.with_suffix(".older").read_bytes()


def _begun(path):
    return path.read_bytes().splitlines(keepends=True)[0]


def _shorter(path):
    return b"".join(path.read_bytes().splitlines(keepends=True)[:-1])


def _flipped(path):
    return path.read_bytes().replace(f'"{TWO.key}"'.encode(), f'"{TWO.key}1"'.encode())


@pytest.mark.parametrize("how", [_older, _begun, _shorter, _flipped])
@pytest.mark.parametrize("killed", [False, True])
def test_file_in_another_state_than_it_was_left_in_tells_nothing(folder, how, killed):
    path = folder / "z000032.jsonl"
    with opened(folder) as ledger:
        ledger.verify({TWO: "a"})
    path.with_suffix(".older").write_bytes(path.read_bytes())
    with opened(folder) as ledger:
        ledger.verify({TWO: "b"})
        ledger.verify({ONE: "b"})
    if killed:
        # Another layer was about to be written to.
        opened(folder).doubt(ONE)
    path.write_bytes(how(path))
    for _ in range(2):
        with opened(folder) as ledger:
            assert ledger.entry_of(TWO) == Entry(DOUBT)
            assert ledger.entry_of(ONE) == Entry(DOUBT if killed else "b", not killed)
            # Of another layer: this one stays as it is.
            ledger.hold({BOXES[4]: "c"})


def test_killed_before_the_first_line_what_was_known_is_known_still(folder, monkeypatch):
    with opened(folder) as ledger:
        ledger.verify({ONE: "a"})
    with monkeypatch.context() as patched:
        patched.setattr(ledger_module, "write_text", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened(folder).doubt(ONE)
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry("a", verified=True)
        assert ledger.entry_of(TWO) is None


def test_ledger_of_an_older_version_is_sealed_as_it_is(folder):
    with opened(folder) as ledger:
        ledger.verify({ONE: "a", TWO: "a"})
    record = folder / "channel.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "seals": None}))
    for verified in (False, True):
        with opened(folder) as ledger:
            assert ledger.entry_of(TWO) == Entry("a", verified=True)
            assert ledger.entry_of(ONE) == Entry("a" if not verified else "b", verified=True)
            ledger.verify({ONE: "b"})


def test_closed_ledger_takes_nothing_any_more(folder):
    with opened(folder) as ledger:
        ledger.doubt(ONE)
    with pytest.raises(ValueError, match="closed"):
        ledger.hold({ONE: "a"})
    with opened(folder) as ledger:
        assert ledger.entry_of(ONE) == Entry(DOUBT)


def test_ledger_is_closed_although_the_record_of_its_channel_is_held(folder, monkeypatch):
    monkeypatch.setattr(ledger_module, "CLOSE_SECONDS", 0.05)
    with contextlib.ExitStack() as stack, opened(folder) as ledger:
        ledger.hold({ONE: "a"})
        stack.enter_context(FileLock(folder / ledger_module.LOCK))
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
    # Never closed, as a process that is killed leaves it.
    ledger = opened(folder, boxes=BOXES[:4])
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


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"5", b'{"marker": "m"', b'{"marker": "\xff"}', b'{"marker": 5}']
)
def test_damaged_record_is_as_good_as_none(tmp_path, text):
    (tmp_path / "channel.json").write_bytes(text)
    record = ChannelRecord(tmp_path)
    assert (record.marker, record.finished, record.writers) == (None, False, [None])
    assert state_of_channel(tmp_path) is None
    record.write("m", finished=True)
    assert ChannelRecord(tmp_path).finished
