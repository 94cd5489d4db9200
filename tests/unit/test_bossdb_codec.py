"""What is packed is unpacked; the strong codec is taken only while blocks wait."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.bossdb.codec import CodecChoice
from brainpublish.packing import STRONG, unpack

TYPES = ("uint8", "uint16", "uint64")


@given(st.sampled_from(TYPES), st.integers(0, 2**32), st.booleans())
def test_packing_is_lossless(dtype, seed, big_endian):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, np.iinfo(dtype).max, (3, 5, 7), dtype, endpoint=True)
    choice = CodecChoice(dtype)
    given_values = values.astype(values.dtype.newbyteorder(">")) if big_endian else values
    for codec in (choice.cheap, STRONG):
        assert np.array_equal(unpack(codec.pack(given_values), dtype).reshape(3, 5, 7), values)


@pytest.mark.parametrize("body", [b"<html>no such page</html>", b"\x02\x01\x01\x01"])
def test_what_is_no_blosc_buffer_is_an_error(body):
    with pytest.raises(ValueError, match="blosc"):
        unpack(body, "uint16")


def test_strong_codec_only_while_blocks_wait_for_a_connection():
    choice = CodecChoice("uint16")
    values = np.arange(2**20, dtype=np.uint16).reshape(1, 1024, 1024)
    assert choice.now == choice.cheap
    choice.pack(values)
    choice.waited(0)
    assert choice.now == choice.cheap
    for _ in range(20):
        choice.waited(30)
    assert choice.now == STRONG
    choice.pack(values)
    assert choice.now == STRONG
    for _ in range(200):
        choice.waited(0)
    assert choice.now == choice.cheap
