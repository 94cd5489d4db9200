"""Blosc buffers of small integers that become wider ones: read with blosc as it comes."""

import itertools

import blosc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainpublish.packing import BITS, IMAGE, LABELS, Codec, is_whole, packed_as, unpack
from brainpublish.repacking import follows, joined, widened

CODECS = [BITS.fast, BITS.strong, LABELS.fast, LABELS.strong, IMAGE.fast, IMAGE.strong]
CODECS += [Codec("lz4", blosc.NOSHUFFLE, 5), Codec("blosclz", blosc.SHUFFLE, 5)]


def values_of(shape, dtype, top, noise, seed):
    dice = np.random.default_rng(seed)
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1] * shape[2]) // 50)
    mixed = smooth + dice.integers(0, noise + 1, smooth.shape)
    return (mixed % (top + 1)).astype(dtype).reshape(shape)


@settings(max_examples=150)
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


def whole(body):
    """Return a body as it arrives."""
    return body if isinstance(body, bytes) else b"".join(body)


@settings(max_examples=60)
@given(
    layers=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    dtype=st.sampled_from(["uint8", "uint16", "uint64"]),
    top=st.sampled_from([1, 255]),
    noise=st.sampled_from([0, 300]),
    codec=st.sampled_from(CODECS),
    seed=st.integers(0, 9),
)
def test_joined_buffers_hold_the_voxels_of_all(layers, dtype, top, noise, codec, seed):
    values = [values_of((z, 128, 64), dtype, top, noise, seed + z) for z in layers]
    bodies = [packed_as(codec, each, "uint64") for each in values]
    fitting = 1
    while fitting < len(bodies) and follows(bodies[fitting - 1], bodies[fitting]):
        fitting += 1
    body = whole(joined(bodies[:fitting]))
    assert (unpack(body, "uint64") == np.concatenate(values[:fitting], axis=None)).all()
    assert is_whole(body)


@pytest.mark.parametrize("codec", [BITS.fast, BITS.strong, LABELS.fast, LABELS.strong])
def test_whole_cuboids_of_masks_follow_each_other(codec):
    values = values_of((64, 512, 512), "uint8", 1, 1, 0)
    bodies = [packed_as(codec, values[z : z + 16], "uint64") for z in range(0, 64, 16)]
    assert all(follows(one, other) for one, other in itertools.pairwise(bodies))
    assert (unpack(whole(joined(bodies)), "uint64") == values.ravel()).all()
    # The last one may be cut.
    last = packed_as(codec, values[:7], "uint64")
    assert follows(bodies[0], last)
    assert unpack(whole(joined([bodies[0], last])), "uint64").size == 23 * 512 * 512


def test_others_do_not_follow():
    dice = np.random.default_rng(1)
    whole = BITS.fast.pack(np.zeros((16, 512, 512), np.uint64))
    noise = BITS.fast.pack(dice.integers(0, 2**64, (16, 512, 512), np.uint64))
    cut = BITS.fast.pack(np.zeros((16, 333, 77), np.uint64))
    assert follows(whole, whole)
    assert not follows(noise, noise)  # It is copied, not packed in blocks.
    assert not follows(cut, whole)
    assert not follows(whole, BITS.strong.pack(np.zeros((16, 512, 512), np.uint64)))
    assert not follows(whole, BITS.fast.pack(np.zeros((16, 512, 512), np.uint16)))
