"""Blosc buffers of small integers that become wider ones: read with blosc as it comes."""

import blosc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainpublish.packing import BITS, IMAGE, LABELS, Codec, packed_as, unpack
from brainpublish.widening import widened

CODECS = [BITS.fast, BITS.strong, LABELS.fast, LABELS.strong, IMAGE.fast, IMAGE.strong]
CODECS += [Codec("lz4", blosc.NOSHUFFLE, 5), Codec("blosclz", blosc.SHUFFLE, 5)]


def values_of(shape, dtype, top, noise, seed):
    dice = np.random.default_rng(seed)
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1] * shape[2]) // 50)
    mixed = smooth + dice.integers(0, noise + 1, smooth.shape)
    return (mixed % (top + 1)).astype(dtype).reshape(shape)


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 16), st.integers(1, 90), st.integers(1, 90)),
    dtype=st.sampled_from(["uint8", "uint16", "uint32"]),
    top=st.sampled_from([1, 7, 255]),
    noise=st.sampled_from([0, 1, 300]),
    codec=st.sampled_from(CODECS),
    wide=st.sampled_from(["uint16", "uint64"]),
    seed=st.integers(0, 9),
)
def test_wider_voxels_are_the_same_voxels(shape, dtype, top, noise, codec, wide, seed):
    values = values_of(shape, dtype, top, noise, seed)
    wide = max(wide, dtype, key=lambda name: np.dtype(name).itemsize)
    body = packed_as(codec, values, wide)
    assert (
        np.frombuffer(blosc.decompress(body), f"<u{np.dtype(wide).itemsize}") == values.ravel()
    ).all()
    assert int.from_bytes(body[12:16], "little") == len(body)
    assert body[3] == np.dtype(wide).itemsize


@pytest.mark.parametrize("shape", [(16, 512, 512), (16, 300, 512), (16, 333, 77), (3, 512, 512)])
@pytest.mark.parametrize("codec", [BITS.fast, BITS.strong, LABELS.fast])
def test_whole_and_cut_cuboids_are_not_packed_again(shape, codec):
    values = values_of(shape, "uint8", 1, 0, 0)
    narrow = codec.pack(values)
    body = widened(narrow, 8)
    assert body is not None
    assert (unpack(body, "uint64") == values.ravel()).all()
    assert len(body) < len(narrow) + 8 * values.size / 200


def test_labels_of_two_bytes_are_not_packed_again():
    values = values_of((16, 512, 512), "uint16", 60000, 3, 0)
    body = widened(LABELS.fast.pack(values), 8)
    assert body is not None
    assert (unpack(body, "uint64") == values.ravel()).all()


@pytest.mark.parametrize(
    ("codec", "dtype"),
    [
        (Codec("lz4", blosc.NOSHUFFLE, 5), "uint16"),
        (IMAGE.strong, "uint16"),
        (Codec("zlib", blosc.SHUFFLE, 1), "uint8"),
    ],
)
def test_what_is_not_in_planes_of_its_own_is_packed_anew(codec, dtype):
    values = values_of((4, 100, 100), dtype, 255, 1, 0)
    assert widened(codec.pack(values), 8) is None
    assert (unpack(packed_as(codec, values, "uint64"), "uint64") == values.ravel()).all()


def test_a_buffer_of_the_type_stays():
    body = IMAGE.fast.pack(values_of((4, 50, 50), "uint16", 60000, 300, 0))
    assert widened(body, 2) is body
