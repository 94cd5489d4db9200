"""Damage inside the compressed pixels of JPEG 2000 is told, and only damage."""

import imagecodecs
import numpy as np
import pytest

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import UnreadableSlice, read_slice
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
