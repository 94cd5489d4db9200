"""The free space of a disk, compared with what is about to be made there."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from brainpublish.slices.space import (
    Making,
    Storing,
    bytes_below,
    cuboids_of,
    free_space,
    packed_share,
    space_findings,
)

SECTION = {"role": "image", "waive": []}
RNG = np.random.default_rng(2)
FRAME = 2 * 2**15


@pytest.fixture
def noise(tmp_path):
    tifffile.imwrite(tmp_path / "noise.tif", RNG.integers(0, 2**16, (512, 512)).astype(np.uint16))
    return str(tmp_path / "noise.tif")


@pytest.fixture
def plain(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", np.ones((512, 512), np.uint16))
    return str(tmp_path / "plain.tif")


def making(file, section=SECTION, held=0, folder="results"):
    return Making(section, file, 10**9, 1, 2, folder, held)


def codes(makings, free):
    return [each.code for each in space_findings(makings, lambda folder: (1, free))]


def test_what_fits_at_most_is_not_tried(noise):
    # Were it tried, the missing file would be noticed.
    assert codes([making("nowhere.tif")], 2 * 10**9 + FRAME) == []
    assert codes([making(noise)], 2 * 10**9 + FRAME - 1) == ["SPACE_SHORT"]


def test_what_packs_well_is_no_reason_to_stop(plain, noise):
    assert codes([making(plain)], 10**9) == ["SPACE_TIGHT"]
    assert codes([making(plain)], 10**6) == ["SPACE_SHORT"]
    assert codes([making(plain), making(noise)], 10**9) == ["SPACE_SHORT"]


def test_what_is_there_already_makes_room_and_what_is_waived_does_not_count(noise):
    assert codes([making(noise, held=10**9)], 10**9 + FRAME) == []
    assert codes([making(noise, SECTION | {"waive": ["SPACE_SHORT"]})], 0) == []


def test_each_disk_has_its_own_sum(noise):
    disks = {"results": (1, 3 * 10**9), "store": (2, 10**9)}
    makings = [making(noise), Storing(SECTION, noise, 10**9, 1, 2, "store")]
    (found,) = space_findings(makings, disks.get)
    assert (found.code, found.where) == ("SPACE_SHORT", "store")
    assert found.message.startswith("1 GB are free; this run is to leave about 2.67 GB there")
    disks["store"] = disks["results"]
    (found,) = space_findings(makings, disks.get)
    assert found.where == "results and store"
    assert "4.67 GB at most" in found.message


def test_a_slice_of_a_mask_is_tried_as_it_is_packed(tmp_path, noise):
    inside = np.zeros((600, 600), bool)
    inside[100:300, 150:400] = True
    Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(tmp_path / "m.jpg", quality=75)
    assert packed_share(str(tmp_path / "m.jpg")) < 0.05
    assert packed_share(noise) > 0.9
    assert packed_share(str(tmp_path / "nowhere.tif")) is None


def test_space_of_a_folder_that_is_not_there_yet(tmp_path):
    assert free_space(str(tmp_path / "a" / "b"))[0] == tmp_path.stat().st_dev
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "d").write_bytes(bytes(70))
    assert bytes_below(tmp_path / "c", tmp_path / "none") == 70
    assert cuboids_of((17, 512, 513)) == 4
