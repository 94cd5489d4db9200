"""The shipped example: its files are what its script says, and the script repeats itself."""

import csv
import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg

FOLDER = Path(__file__).parents[2] / "config" / "example"
MEGABYTE = 2**20


def _load_script():
    spec = importlib.util.spec_from_file_location("make_example", FOLDER / "make_example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example = _load_script()


@functools.cache
def _truth(z):
    return example.truth(z)


def _mask(material, z):
    return np.asarray(Image.open(FOLDER / material / f"slice_{z + 1}.jpg"))


def test_every_slice_is_there_and_the_whole_is_small():
    for folder, suffix in (("image", "jp2"), ("bone", "jpg"), ("rock", "jpg")):
        names = {path.name for path in (FOLDER / folder).iterdir()}
        assert names == {f"slice_{number}.{suffix}" for number in range(1, example.DEPTH + 1)}
    files = [path for path in FOLDER.rglob("*.*") if path.suffix in (".jp2", ".jpg", ".csv")]
    assert sum(path.stat().st_size for path in files) < 3 * MEGABYTE


def test_no_side_is_a_multiple_of_a_cuboid():
    assert example.DEPTH % 16
    assert example.HEIGHT > 512
    assert example.HEIGHT % 512
    assert example.WIDTH > 512
    assert example.WIDTH % 512
    assert example.WIDTH != example.HEIGHT


@pytest.mark.parametrize("material", ["bone", "rock"])
def test_masks_cut_at_128_are_the_true_material(material):
    noisy = 0
    for z in range(example.DEPTH):
        mask = _mask(material, z)
        assert mask.dtype == np.uint8
        assert np.array_equal(mask >= 128, _truth(z)[material]), z
        noisy += np.isin(mask, (0, 255), invert=True).sum()
    assert noisy > 1000, "a JPEG mask has noise around its edges"


def test_every_mask_slice_holds_some_of_its_material_and_materials_never_overlap():
    for z in range(example.DEPTH):
        truth = _truth(z)
        assert truth["bone"].any()
        assert truth["rock"].any()
        assert not (truth["bone"] & truth["rock"]).any()


@pytest.mark.parametrize("z", [0, 16, 42])
def test_image_slices_are_lossless_and_show_the_materials(z):
    image = use_bundled_openjpeg().Jp2k(FOLDER / "image" / f"slice_{z + 1}.jp2")[:]
    assert image.dtype == np.uint16
    assert image.shape == (example.HEIGHT, example.WIDTH)
    # Another processor may round a cosine the other way; a lossy file would be further off.
    assert np.abs(image.astype(int) - example.image_slice(z)).max() <= 1
    truth = _truth(z)
    assert image[truth["rock"]].mean() > image[truth["bone"]].mean() > example.SOFT
    assert image.max() > np.iinfo(np.uint8).max


def test_the_script_writes_the_same_bytes_again(tmp_path):
    for folder in ("first", "second"):
        example.write_example(tmp_path / folder, slices=(0, 20))
    first = sorted(path for path in (tmp_path / "first").rglob("*") if path.is_file())
    assert len(first) == 6
    for path in first:
        again = tmp_path / "second" / path.relative_to(tmp_path / "first")
        assert path.read_bytes() == again.read_bytes(), path.name


def test_the_table_has_the_regions_and_columns_of_the_example_config():
    with (FOLDER / "features.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["acronym"] for row in rows] == ["MOp1", "MOs5", "AAA", "ACAd2/3"]
    assert [float(row["spike_rate"]) for row in rows] == [1.2, 3.4, 0.0, 0.1]
    for column in ("spike_amplitude", "lfp_phase"):
        assert len({float(row[column]) for row in rows}) == len(rows)
