"""Files past the system's cache hold what was written, whatever the file system thinks of it."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainpublish import uncached
from brainpublish.uncached import BUFFER_BYTES, UncachedWriter, read_once

NEAR_BUFFERS = st.integers(0, 3).flatmap(
    lambda count: st.integers(-9, 9).map(lambda more: max(0, count * BUFFER_BYTES + more))
)


def write(path, parts):
    with path.open("wb") as file, UncachedWriter(file.fileno()) as writer:
        for part in parts:
            writer.write(part)


def parts_of(sizes):
    pattern = bytes(range(251))
    return [(pattern * (size // 251 + 1))[:size] for size in sizes]


@given(st.lists(NEAR_BUFFERS | st.integers(0, 9000), max_size=4))
@settings(max_examples=30)
def test_parts_of_any_size_follow_each_other(tmp_path_factory, sizes):
    path = tmp_path_factory.mktemp("uncached") / "file"
    parts = parts_of(sizes)
    write(path, parts)
    assert path.read_bytes() == b"".join(parts)


@pytest.mark.parametrize("share", [1, 1000, BUFFER_BYTES - 1])
def test_short_writes_are_gone_on_with(tmp_path, monkeypatch, share):
    whole = os.write
    asked = []

    def short(handle, data):
        asked.append(len(data))
        return whole(handle, data[:-share] if len(asked) == 1 else data)

    monkeypatch.setattr(uncached.os, "write", short)
    parts = parts_of([BUFFER_BYTES + 7, BUFFER_BYTES])
    write(tmp_path / "file", parts)
    assert (tmp_path / "file").read_bytes() == b"".join(parts)
    assert len(asked) > 3


def test_file_system_that_refuses_is_written_to_as_usual(tmp_path, monkeypatch):
    whole = os.write
    refused = []

    def refuse(handle, data):
        if fcntl.fcntl(handle, fcntl.F_GETFL) & uncached._DIRECT:
            refused.append(handle)
            raise OSError(errno.EINVAL, "no direct writes here")
        return whole(handle, data)

    monkeypatch.setattr(uncached.os, "write", refuse)
    parts = parts_of([3 * BUFFER_BYTES + 5])
    write(tmp_path / "file", parts)
    assert (tmp_path / "file").read_bytes() == parts[0]
    assert len(refused) <= 1


@pytest.mark.parametrize("sizes", [[5], [2 * BUFFER_BYTES], [BUFFER_BYTES] * 4])
def test_full_disk_is_told(sizes):
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as file:
        fill(file, sizes)


def fill(file, sizes):
    with UncachedWriter(file.fileno()) as writer:
        for part in parts_of(sizes):
            writer.write(part)


def test_nothing_is_under_way_once_an_error_left_the_block(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(KeyError), path.open("wb") as file:
        break_off(file)
    size = path.stat().st_size
    assert size in {0, BUFFER_BYTES}


def break_off(file):
    with UncachedWriter(file.fileno()) as writer:
        writer.write(bytes(BUFFER_BYTES + 3))
        raise KeyError


@given(st.integers(0, 12_000), st.integers(0, 12_000))
def test_parts_are_read_anywhere(tmp_path_factory, offset, size):
    path = tmp_path_factory.getbasetemp() / "read"
    data = parts_of([10_000])[0]
    path.write_bytes(data)
    with path.open("rb") as file:
        assert read_once(file.fileno(), size, offset) == data[offset : offset + size]
