import random

from hypothesis import given
from hypothesis import strategies as st

from brainpublish.slices.discover import list_slices


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def names_of(listing):
    return [path.rsplit("/", 1)[1] for path in listing.files]


def codes_of(listing):
    return [finding.code for finding in listing.findings]


@given(st.sets(st.integers(0, 100_000), min_size=1, max_size=30))
def test_slices_come_in_numeric_order(tmp_path_factory, numbers):
    folder = tmp_path_factory.mktemp("stack")
    shuffled = random.sample(sorted(numbers), len(numbers))
    touch(folder, *(f"slice {number}.jp2" for number in shuffled))
    listing = list_slices(str(folder), "*.jp2")
    assert names_of(listing) == [f"slice {number}.jp2" for number in sorted(numbers)]


def test_order_by_number_is_said_where_text_would_differ(tmp_path):
    touch(tmp_path, "z1.png", "z2.png", "z10.png")
    listing = list_slices(str(tmp_path), "*.png")
    assert codes_of(listing) == ["SLICE_ORDER"]
    assert "from z1.png to z10.png (3 slices)" in listing.findings[0].message
    touch(tmp_path / "padded", "z01.png", "z02.png", "z10.png")
    assert codes_of(list_slices(str(tmp_path / "padded"), "*.png")) == []


def test_files_that_systems_leave_beside_images_are_no_slices(tmp_path):
    touch(tmp_path, "1.tif", "._1.tif", ".DS_Store", "2.tif")
    assert names_of(list_slices(str(tmp_path), "*.tif")) == ["1.tif", "2.tif"]


def test_missing_folder_names_the_folders_there_are(tmp_path):
    touch(tmp_path / "images", "1.tif")
    listing = list_slices(str(tmp_path / "imagse"), "*.tif")
    assert (listing.files, codes_of(listing)) == ([], ["SLICES_FOLDER"])
    assert "images" in listing.findings[0].message


def test_folder_one_level_deeper_is_offered(tmp_path):
    touch(tmp_path / "stack", "1.tif", "2.tif")
    listing = list_slices(str(tmp_path), "*.tif")
    assert codes_of(listing) == ["SLICES_NONE"]
    assert "subfolder 'stack' has 2 that match" in listing.findings[0].message


def test_no_match_says_which_images_there_are(tmp_path):
    touch(tmp_path, "1.tif", "readme.txt")
    listing = list_slices(str(tmp_path), "*.jp2")
    assert codes_of(listing) == ["SLICES_NONE"]
    assert "2 files (images end in .tif)" in listing.findings[0].message
