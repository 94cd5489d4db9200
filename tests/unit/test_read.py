import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import UnreadableSlice, read_header, read_slice
from stacks import SHARED

SHAPE = (40, 51)


def noise(dtype, limit=None):
    rng = np.random.default_rng(1)
    return rng.integers(0, limit or np.iinfo(dtype).max, SHAPE, dtype)


def write_jp2(path, values, **options):
    use_bundled_openjpeg().Jp2k(path, data=values, **options)


def code_of(path):
    with pytest.raises(UnreadableSlice) as refused:
        read_slice(path)
    return refused.value.code


@settings(max_examples=20, deadline=None)
@given(arrays.arrays(np.uint16, st.tuples(st.integers(32, 48), st.integers(32, 48))))
def test_lossless_jp2_of_16_bits_is_read_as_written(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("jp2") / "a.jp2"
    write_jp2(path, values)
    assert np.array_equal(read_slice(path), values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"compression": "zlib"}])
def test_tiff_is_read_as_written(tmp_path, dtype, options):
    values = noise(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    read = read_slice(tmp_path / "a.tif")
    assert np.array_equal(read, values)
    assert read.dtype == dtype
    assert read_header(tmp_path / "a.tif").dtype == np.dtype(dtype).name


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_is_read_as_written(tmp_path, dtype):
    values = noise(dtype)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert np.array_equal(read_slice(tmp_path / "a.png"), values)
    assert read_header(tmp_path / "a.png").bit_depth == 8 * np.dtype(dtype).itemsize


def test_png_of_one_bit_holds_0_and_1(tmp_path):
    inside = noise(np.uint8) > 100
    Image.fromarray(inside).save(tmp_path / "a.png")
    assert np.array_equal(read_slice(tmp_path / "a.png"), inside.astype(np.uint8))
    assert read_header(tmp_path / "a.png").bit_depth == 1


def test_header_tells_lossy_from_lossless(tmp_path):
    write_jp2(tmp_path / "a.jp2", noise(np.uint16))
    write_jp2(tmp_path / "b.jp2", noise(np.uint16), cratios=[10], irreversible=True)
    Image.fromarray(noise(np.uint8)).save(tmp_path / "c.jpg")
    lossy = [read_header(tmp_path / name).lossy for name in ("a.jp2", "b.jp2", "c.jpg")]
    assert lossy == [False, True, True]


def test_format_is_told_by_content_not_by_name(tmp_path):
    Image.fromarray(noise(np.uint8)).save(tmp_path / "really.png")
    (tmp_path / "really.png").rename(tmp_path / "a.jp2")
    assert read_header(tmp_path / "a.jp2").format == "png"


def test_equal_colour_channels_are_grey(tmp_path):
    values = noise(np.uint8)
    Image.fromarray(np.dstack([values] * 3)).save(tmp_path / "a.png")
    assert np.array_equal(read_slice(tmp_path / "a.png"), values)


def test_colours_are_refused(tmp_path):
    Image.fromarray(np.dstack([noise(np.uint8), *[np.zeros(SHAPE, np.uint8)] * 2])).save(
        tmp_path / "a.png"
    )
    assert code_of(tmp_path / "a.png") == "SLICE_COLOUR"


@pytest.mark.parametrize("name", ["a.jp2", "a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_file_cut_short_is_found(tmp_path, name, share):
    values, path = noise(np.uint8), tmp_path / name
    if name == "a.jp2":
        write_jp2(path, values)
    elif name == "a.tif":
        tifffile.imwrite(path, values)
    else:
        Image.fromarray(values).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert code_of(path) in ("SLICE_UNREADABLE", "SLICE_FORMAT")


@pytest.mark.parametrize("name", ["a.jp2", "a.png", "a.jpg"])
def test_file_without_its_end_is_found_by_its_header_alone(tmp_path, name):
    values, path = noise(np.uint8), tmp_path / name
    if name == "a.jp2":
        write_jp2(path, values)
    else:
        Image.fromarray(values).save(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableSlice, match="ends early"):
        read_header(path)


def test_files_that_are_no_images_are_named_as_such(tmp_path):
    (tmp_path / "empty.jp2").touch()
    (tmp_path / "page.jp2").write_text("<html>404</html>")
    assert code_of(tmp_path / "empty.jp2") == "SLICE_UNREADABLE"
    assert code_of(tmp_path / "page.jp2") == "SLICE_FORMAT"
    assert code_of(tmp_path / "none.jp2") == "SLICE_UNREADABLE"


def test_several_pages_float_and_signed_values_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "pages.tif", np.zeros((3, *SHAPE), np.uint8), photometric="minisblack"
    )
    tifffile.imwrite(tmp_path / "float.tif", np.zeros(SHAPE, np.float32))
    with pytest.raises(UnreadableSlice, match="3 pages"):
        read_header(tmp_path / "pages.tif")
    with pytest.raises(UnreadableSlice, match="float32"):
        read_header(tmp_path / "float.tif")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared sample data")
def test_real_slices_agree_with_a_second_decoder():
    for path in sorted((SHARED / "mouse-brain-u16" / "slices").glob("*.jp2"))[:3]:
        with Image.open(path) as image:
            assert np.array_equal(read_slice(path), np.asarray(image))
