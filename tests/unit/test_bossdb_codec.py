"""What is packed is unpacked; the strong codec is taken only while blocks wait."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.bossdb.client import BossdbClient, BossdbRefusal
from brainpublish.bossdb.codec import CodecChoice
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.packing import BITS, IMAGE, LABELS, unpack

TYPES = ("uint8", "uint16", "uint64")


@given(st.sampled_from(TYPES), st.integers(0, 2**32), st.booleans())
def test_packing_is_lossless(dtype, seed, big_endian):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, np.iinfo(dtype).max, (3, 5, 7), dtype, endpoint=True)
    given_values = values.astype(values.dtype.newbyteorder(">")) if big_endian else values
    for codecs in (IMAGE, BITS, LABELS):
        for codec in (codecs.fast, codecs.strong):
            body = codec.pack(given_values)
            assert np.array_equal(unpack(body, dtype).reshape(3, 5, 7), values)


@pytest.mark.parametrize("stated", [2**31 - 1, 2**31, 2**32 - 1])
def test_size_that_no_buffer_has_is_an_error(stated):
    body = bytearray(IMAGE.fast.pack(np.ones((1, 2, 3), np.uint16)))
    body[4:8] = stated.to_bytes(4, "little")
    with pytest.raises(ValueError, match=f"no blosc buffer: it states {stated:,}"):
        unpack(bytes(body), "uint16")
    with BossdbClient(Endpoint("remote", "http", "nowhere", "id", "token")) as client:
        for into in (None, np.empty(6, np.uint16)):
            with pytest.raises(BossdbRefusal, match="that is 6 voxels of uint16, and answered"):
                client.unpacked(bytes(body), Box((0, 0, 0), (1, 2, 3)), "uint16", into)


@pytest.mark.parametrize("body", [b"<html>no such page</html>", b"\x02\x01\x01\x01"])
def test_what_is_no_blosc_buffer_is_an_error(body):
    with pytest.raises(ValueError, match="blosc"):
        unpack(body, "uint16")


def test_strong_codec_only_while_blocks_wait_for_a_connection_and_travel_long():
    choice = CodecChoice(IMAGE, "uint16")
    values = np.arange(2**20, dtype=np.uint16).reshape(1, 1024, 1024)
    assert not choice.strong
    assert choice.pack(values) == IMAGE.fast.pack(values)
    choice.waited(0)
    assert not choice.strong
    for _ in range(20):
        choice.waited(30)
    # The server takes its time to answer, whatever it is sent.
    assert not choice.strong
    for _ in range(20):
        choice.travelled(30)
    assert choice.strong
    assert choice.pack(values) == IMAGE.strong.pack(values)
    assert choice.strong
    for _ in range(200):
        choice.waited(0)
    assert not choice.strong
