"""Slices with orientation tags, turned as Pillow turns them, in whole and in bands."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import read_header, read_rows
from brainpublish.slices.upright import as_stored, upright

TAGS = range(1, 9)
SHAPE = (37, 52)
GREY = np.random.default_rng(4).integers(0, 60_000, SHAPE).astype(np.uint16)
BYTES = (GREY >> 8).astype(np.uint8)


def exif(tag: int) -> bytes:
    held = Image.Exif()
    held[274] = tag
    return held.tobytes()


def reference(values: np.ndarray, tag: int) -> np.ndarray:
    """Return what Pillow shows of a picture y, x with a tag."""
    held = io.BytesIO()
    Image.fromarray(values).save(held, "PNG", exif=exif(tag))
    return np.asarray(ImageOps.exif_transpose(Image.open(held)))


def tif(path, tag, **options):
    tifffile.imwrite(path, GREY, extratags=[(274, 3, 1, tag, True)], **options)
    return GREY


def tiled(path, tag):
    return tif(path, tag, tile=(16, 16), compression="zlib")


def jpeg(path, tag):
    Image.fromarray(BYTES).save(path, "JPEG", exif=exif(tag))
    with Image.open(path) as image:
        return np.asarray(image)


def png(path, tag):
    Image.fromarray(GREY).save(path, "PNG", exif=exif(tag))
    return GREY


def png_with_tag_behind(path, tag):
    held = io.BytesIO()
    Image.fromarray(GREY).save(held, "PNG")
    body = b"eXIf" + exif(tag).removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = held.getvalue()
    path.write_bytes(data[:-12] + chunk + data[-12:])
    return GREY


def jp2(path, tag):
    boxed = path.with_suffix(".jp2")
    use_bundled_openjpeg().Jp2k(boxed, data=GREY)
    boxed.rename(path)
    body = b"JpgTiffExif->JP2" + exif(tag).removeprefix(b"Exif\0\0")
    with path.open("ab") as file:
        file.write(struct.pack(">I", len(body) + 8) + b"uuid" + body)
    return GREY


WRITERS = [tif, tiled, jpeg, png, png_with_tag_behind, jp2]


@pytest.mark.parametrize("write", WRITERS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_of_every_format_is_applied_as_pillow_does(tmp_path, write, tag):
    stored = write(tmp_path / "a", tag)
    header = upright(read_header(tmp_path / "a"))
    expected = reference(stored, tag)
    assert header.shape == expected.shape
    assert header.orientation == 1
    assert np.array_equal(read_rows(tmp_path / "a", header, 0, header.height), expected)
    assert as_stored(header).shape == SHAPE


@settings(max_examples=60)
@given(st.sampled_from(TAGS), st.sampled_from([tiled, jpeg]), st.data())
def test_bands_are_rows_of_the_turned_slice(tmp_path_factory, tag, write, data):
    path = tmp_path_factory.mktemp("turned") / "a"
    expected = reference(write(path, tag), tag)
    header = upright(read_header(path))
    start = data.draw(st.integers(0, header.height - 1))
    stop = data.draw(st.integers(start + 1, header.height))
    assert np.array_equal(read_rows(path, header, start, stop), expected[start:stop])


def test_colours_are_turned_too(tmp_path):
    colours = np.stack([BYTES, BYTES // 2, 255 - BYTES], axis=-1)
    Image.fromarray(colours).save(tmp_path / "a.png", exif=exif(6))
    header = upright(read_header(tmp_path / "a.png"))
    values = read_rows(tmp_path / "a.png", header, 0, header.height)
    assert np.array_equal(values, np.rot90(colours, -1))


@pytest.mark.parametrize("tag", TAGS)
def test_sizes_of_voxels_follow_their_axes(tmp_path, tag):
    tif(tmp_path / "a", tag, resolution=(5000, 2500), resolutionunit="CENTIMETER")
    header = upright(read_header(tmp_path / "a"))
    assert header.voxel_nm == ((4000, 2000, None) if tag > 4 else (2000, 4000, None))


def test_a_tag_without_meaning_stays_to_be_reported(tmp_path):
    tif(tmp_path / "a", 9)
    header = read_header(tmp_path / "a")
    assert upright(header) == header
    assert header.orientation == 9
