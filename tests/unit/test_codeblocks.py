"""Damage inside the compressed pixels of JPEG 2000 is told, and only damage."""

import imagecodecs
import numpy as np
import pytest

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import UnreadableSlice, read_header, read_rows, read_slice
from stacks import phantom

PHANTOM = phantom(1, 200, 220)[0]


def write_jp2(path, values, **options):
    use_bundled_openjpeg().Jp2k(path, data=values, **options)


def is_refused(path) -> bool:
    try:
        read_slice(path)
    except UnreadableSlice as refusal:
        return refusal.code == "SLICE_UNREADABLE"
    return False


@pytest.mark.parametrize("name", ["a.jp2", "a.j2k"])
def test_flipped_bits_in_compressed_pixels_are_told(tmp_path, name):
    write_jp2(tmp_path / name, PHANTOM)
    whole = (tmp_path / name).read_bytes()
    places = np.random.default_rng(3).integers(300, len(whole) - 2, 40)
    told = 0
    for place in places:
        data = bytearray(whole)
        data[place] ^= 0x10
        (tmp_path / name).write_bytes(data)
        told += is_refused(tmp_path / name)
    assert told >= 0.8 * len(places)


@pytest.mark.parametrize(
    "options",
    [
        {"cratios": [100, 30, 5]},
        {"cratios": [20], "irreversible": True},
        {"psnr": [30, 40, 50]},
        {"tilesize": (64, 100), "cbsize": (16, 16)},
        {"modesw": 1},
        {"modesw": 2 | 8 | 32},
        {"modesw": 4},
        {"modesw": 16},
        {"sop": True, "eph": True, "numres": 2},
    ],
    ids=str,
)
def test_whole_jp2_of_any_coding_is_not_taken_for_damaged(tmp_path, options):
    noise = np.random.default_rng(1).integers(0, 2**16, (200, 220), np.uint16)
    flat = np.full((200, 220), 77, np.uint8)
    for values in (noise, flat, PHANTOM):
        write_jp2(tmp_path / "a.jp2", values, **options)
        expected = imagecodecs.jpeg2k_decode((tmp_path / "a.jp2").read_bytes())
        assert np.array_equal(read_slice(tmp_path / "a.jp2"), expected)


def test_high_throughput_jp2_is_read_whole(tmp_path):
    (tmp_path / "a.jph").write_bytes(imagecodecs.htj2k_encode(PHANTOM))
    header = read_header(tmp_path / "a.jph")
    assert np.array_equal(read_slice(tmp_path / "a.jph"), PHANTOM)
    assert np.array_equal(read_rows(tmp_path / "a.jph", header, 66, 100), PHANTOM[66:100])


def test_sparse_sampling_grid_is_read_as_the_samples_that_it_has(tmp_path):
    write_jp2(tmp_path / "a.j2k", PHANTOM)
    data = bytearray((tmp_path / "a.j2k").read_bytes())
    # SIZ: extent and tile on the reference grid doubled, and samples two apart on it.
    for field, pixels in ((8, 220), (12, 200), (24, 220), (28, 200)):
        assert int.from_bytes(data[field : field + 4]) == pixels
        data[field : field + 4] = (2 * pixels).to_bytes(4)
    data[43:45] = b"\2\2"
    (tmp_path / "a.j2k").write_bytes(data)
    header = read_header(tmp_path / "a.j2k")
    assert np.array_equal(read_slice(tmp_path / "a.j2k"), PHANTOM)
    assert np.array_equal(read_rows(tmp_path / "a.j2k", header, 66, 100), PHANTOM[66:100])


def test_image_off_the_origin_of_its_grid_is_read_in_place(tmp_path):
    write_jp2(tmp_path / "a.jp2", PHANTOM, grid_offset=(13, 7), tilesize=(64, 64))
    header = read_header(tmp_path / "a.jp2")
    assert header.shape == PHANTOM.shape
    assert np.array_equal(read_slice(tmp_path / "a.jp2"), PHANTOM)
    assert np.array_equal(read_rows(tmp_path / "a.jp2", header, 66, 100), PHANTOM[66:100])


def test_luminance_and_chroma_are_not_taken_for_red_and_green(tmp_path):
    write_jp2(tmp_path / "a.jp2", np.stack([PHANTOM] * 3, axis=-1))
    data = bytearray((tmp_path / "a.jp2").read_bytes())
    at = data.index(b"colr") + 4
    assert data[at : at + 7] == b"\1\0\0\0\0\0\x10"
    data[at + 6] = 18
    (tmp_path / "a.jp2").write_bytes(data)
    with pytest.raises(UnreadableSlice, match="YCC") as refused:
        read_header(tmp_path / "a.jp2")
    assert refused.value.code == "SLICE_TYPE"
