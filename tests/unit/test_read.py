import io
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import (
    UnreadableSlice,
    read_header,
    read_rows,
    read_slice,
    suffix_fits,
)
from brainpublish.slices.tiff import count_pages, page_digest
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


@settings(max_examples=20)
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


def test_png_with_a_transparent_grey_value_holds_grey_values(tmp_path):
    values = noise(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png", transparency=int(values[0, 0]))
    assert np.array_equal(read_slice(tmp_path / "a.png"), values)


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


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared sample data")
def test_real_slices_agree_with_a_second_decoder():
    for path in sorted((SHARED / "mouse-brain-u16" / "slices").glob("*.jp2"))[:3]:
        with Image.open(path) as image:
            assert np.array_equal(read_slice(path), np.asarray(image))


def rows_of(path, start, stop, page=0):
    return read_rows(path, read_header(path, page), start, stop, page)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("options", [{}, {"tilesize": (32, 32), "numres": 2}])
@pytest.mark.parametrize("suffix", [".jp2", ".j2k"])
def test_jp2_keeps_native_values_as_a_second_decoder_does(tmp_path, bits, options, suffix):
    values = noise(np.uint16, 1 << bits)
    path = tmp_path / f"a{suffix}"
    write_jp2(path, values if bits > 8 else values.astype(np.uint8), **options)
    if 8 < bits < 16:
        path.write_bytes(imagecodecs.jpeg2k_encode(values, bitspersample=bits, reversible=True))
        assert read_header(path).bit_depth == bits
    assert np.array_equal(read_slice(path), imagecodecs.jpeg2k_decode(path.read_bytes()))
    assert np.array_equal(read_slice(path), values)
    assert np.array_equal(rows_of(path, 5, 33), values[5:33])


def test_lossy_jp2_is_read_as_a_second_decoder_reads_it(tmp_path):
    write_jp2(tmp_path / "a.jp2", noise(np.uint16), cratios=[10], irreversible=True)
    second = imagecodecs.jpeg2k_decode((tmp_path / "a.jp2").read_bytes())
    assert np.array_equal(read_slice(tmp_path / "a.jp2"), second)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_png_of_few_bits_and_palettes_hold_what_was_stored(tmp_path, bits):
    values = noise(np.uint8, 1 << bits)
    picture = Image.fromarray(values, "P")
    picture.putpalette([level for index in range(256) for level in (index, 9, 255 - index)])
    picture.save(tmp_path / "palette.png", bits=bits)
    assert np.array_equal(read_slice(tmp_path / "palette.png"), values)
    assert read_header(tmp_path / "palette.png").palette[1] == (1, 9, 254)
    (tmp_path / "grey.png").write_bytes(grey_png(values, bits))
    assert np.array_equal(read_slice(tmp_path / "grey.png"), values)
    assert read_header(tmp_path / "grey.png").bit_depth == bits


def grey_png(values, bits):
    """Write a grey PNG of so many bits by hand: Pillow writes 1 and 8 only."""

    def chunk(name, data):
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    height, width = values.shape
    planes = np.unpackbits(values[..., None], axis=-1)[..., 8 - bits :].reshape(height, -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in planes)
    start = width.to_bytes(4) + height.to_bytes(4) + bytes([bits, 0, 0, 0, 0])
    data = chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def test_png_of_16_bit_colours_keeps_them_until_they_are_refused(tmp_path):
    grey = np.dstack([noise(np.uint16)] * 3)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(grey))
    assert np.array_equal(read_slice(tmp_path / "a.png"), grey[..., 0])


def test_png_with_a_changed_byte_is_found(tmp_path):
    Image.fromarray(noise(np.uint8)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnreadableSlice, match="IDAT chunk has a wrong checksum"):
        read_slice(tmp_path / "a.png")


TIFF_OPTIONS = [
    {"byteorder": ">"},
    {"tile": (16, 32)},
    {"tile": (16, 32), "compression": "zlib", "predictor": 2},
    {"compression": "lzw", "rowsperstrip": 7},
    {"compression": "zstd", "byteorder": ">"},
    {"bigtiff": True},
    {"rowsperstrip": 9},
]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.int16])
@pytest.mark.parametrize("options", TIFF_OPTIONS, ids=str)
def test_tiff_and_its_rows_are_read_as_written(tmp_path, dtype, options):
    path, values = tmp_path / "a.tif", noise(dtype)
    tifffile.imwrite(path, values, **options)
    assert np.array_equal(read_slice(path), imagecodecs.tiff_decode(path.read_bytes()))
    assert np.array_equal(read_slice(path), values)
    assert np.array_equal(rows_of(path, 11, 30), values[11:30])
    assert read_slice(path).dtype == dtype


@pytest.mark.parametrize("options", [{}, {"ome": True}, {"imagej": True}, {"bigtiff": True}])
def test_pages_of_a_tiff_are_slices(tmp_path, options):
    path = tmp_path / "a.tif"
    stack = np.stack([noise(np.uint16) + z for z in range(5)])
    more = {"metadata": {"axes": "ZYX"}} if options else {}
    tifffile.imwrite(path, stack, photometric="minisblack", **options, **more)
    assert count_pages(path) == 5
    for z, plane in enumerate(stack):
        assert np.array_equal(read_slice(path, z), plane)
        assert np.array_equal(rows_of(path, 3, 9, z), plane[3:9])
    digests = {page_digest(path, z) for z in range(5)}
    assert len(digests) == 5
    assert {size for size, _ in digests} == {stack[0].nbytes}


def test_planes_that_imagej_writes_behind_one_page_are_slices(tmp_path):
    path = tmp_path / "a.tif"
    stack = np.stack([noise(np.uint16) + z for z in range(4)])
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path, mode="r+") as file:
        # The offset of the next page, after the tags of the first one.
        first = file.pages.first
        file.filehandle.seek(first.offset + 2 + 12 * len(first.tags))
        file.filehandle.write(bytes(4))
    assert count_pages(path) == 4
    assert all(np.array_equal(read_slice(path, z), plane) for z, plane in enumerate(stack))


def test_tiff_of_several_channels_is_refused(tmp_path):
    stack = np.zeros((2, 3, *SHAPE), np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata={"axes": "CZYX"})
    with pytest.raises(UnreadableSlice, match="C = 2"):
        read_header(tmp_path / "a.ome.tif")


def test_tiff_with_a_strip_that_was_never_written_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(np.uint8), rowsperstrip=8)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["StripByteCounts"].overwrite((0,) * 5)
    with pytest.raises(UnreadableSlice, match="never written"):
        read_header(path)


def test_headers_tell_orientation_polarity_and_voxel_size(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise(np.uint8),
        photometric="miniswhite",
        resolution=(2000, 4000),
        resolutionunit="CENTIMETER",
        extratags=[(274, 3, 1, 6, True)],
    )
    header = read_header(tmp_path / "a.tif")
    assert (header.orientation, header.white_is_zero) == (6, True)
    assert header.voxel_nm == (5000, 2500, None)
    metadata = {"axes": "ZYX", "PhysicalSizeX": 1.5, "PhysicalSizeY": 1.5, "PhysicalSizeZ": 4}
    tifffile.imwrite(tmp_path / "b.ome.tif", np.zeros((2, 9, 9), np.uint8), metadata=metadata)
    assert read_header(tmp_path / "b.ome.tif").voxel_nm == (1500, 1500, 4000)
    metadata = {"axes": "ZYX", "spacing": 3, "unit": "um"}
    tifffile.imwrite(
        tmp_path / "c.tif",
        np.zeros((2, 9, 9), np.uint8),
        imagej=True,
        resolution=(0.5, 0.5),
        metadata=metadata,
    )
    assert read_header(tmp_path / "c.tif").voxel_nm == (2000, 2000, 3000)
    tifffile.imwrite(tmp_path / "d.tif", noise(np.uint8), resolution=(72, 72))
    assert read_header(tmp_path / "d.tif").voxel_nm == (None, None, None)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(noise(np.uint8)).save(turned, "JPEG", exif=exif)
    (tmp_path / "e.jpg").write_bytes(turned.getvalue())
    assert read_header(tmp_path / "e.jpg").orientation == 3


def test_name_of_another_format_is_seen(tmp_path):
    Image.fromarray(noise(np.uint8)).save(tmp_path / "a.png")
    header = read_header(tmp_path / "a.png")
    assert [suffix_fits(name, header) for name in ("a.png", "a.PNG", "a", "a.tif")] == [
        True,
        True,
        True,
        False,
    ]


def test_header_that_says_more_than_any_file_holds_is_damaged(tmp_path):
    write_jp2(tmp_path / "a.j2k", noise(np.uint8))
    data = bytearray((tmp_path / "a.j2k").read_bytes())
    data[8:16] = (60_000).to_bytes(4) * 2
    (tmp_path / "a.j2k").write_bytes(data)
    with pytest.raises(UnreadableSlice, match="the header is damaged"):
        read_header(tmp_path / "a.j2k")


@pytest.mark.parametrize("axes", ["ZYX", "TYX", "CYX"])
def test_one_long_axis_of_any_name_is_z(tmp_path, axes):
    values = np.arange(12 * 5 * 7, dtype=np.uint16).reshape(12, 5, 7)
    tifffile.imwrite(
        tmp_path / "a.ome.tif", values, metadata={"axes": axes}, photometric="minisblack"
    )
    tifffile.imwrite(tmp_path / "b.tif", values, imagej=True, metadata={"axes": axes})
    for name in ("a.ome.tif", "b.tif"):
        assert count_pages(tmp_path / name) == 12
        assert np.array_equal(read_slice(tmp_path / name, 7), values[7])
    few = values[:3]
    tifffile.imwrite(tmp_path / "c.tif", few, imagej=True, metadata={"axes": "CYX"})
    assert code_of(tmp_path / "c.tif") == "SLICE_PAGES"


def refusals_of(path) -> list[str]:
    """Return what the headers of a file's pages are refused for; a damaged file has one page."""
    try:
        pages = count_pages(path)
    except Exception:
        pages = 1
    said = []
    for page in range(pages):
        try:
            read_header(path, page)
        except UnreadableSlice as refusal:
            said.append(refusal.code)
    return said


@pytest.mark.parametrize(
    "how",
    [{}, {"bigtiff": True}, {"byteorder": ">"}, {"imagej": True}, {"compression": "zlib"}],
    ids=str,
)
@pytest.mark.parametrize("together", [True, False])
def test_stack_in_one_file_that_was_cut_anywhere_is_refused(tmp_path, how, together):
    path, pages = tmp_path / "a.tif", np.stack([noise(np.uint16)] * 5)
    packed = {key: how[key] for key in how if key == "compression"}
    options = {"metadata": {"axes": "ZYX"}} if "imagej" in how else {"photometric": "minisblack"}
    with tifffile.TiffWriter(path, **{k: v for k, v in how.items() if k not in packed}) as file:
        for values in [pages] if together or "imagej" in how else pages:
            file.write(values, contiguous=False, **options, **packed)
    whole = path.read_bytes()
    assert refusals_of(path) == []
    for share in np.linspace(0.02, 0.98, 13):
        path.write_bytes(whole[: int(share * len(whole))])
        assert "SLICE_UNREADABLE" in refusals_of(path)
