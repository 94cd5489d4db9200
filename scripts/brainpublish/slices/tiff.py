"""Reads TIFF: pages, also of BigTIFF, OME and ImageJ files. Arrays are y, x(, samples)."""

import hashlib
import html
import re
from pathlib import Path

import numpy as np
import tifffile

from brainpublish.slices.header import Header, UnreadableSlice
from brainpublish.slices.resolution import nanometers_of, size_of, size_of_density, sizes_text
from brainpublish.slices.tiffpages import check_chain

_LOSSY = {"JPEG", "OJPEG", "JPEG_LOSSY", "WEBP", "JPEGXR", "JPEGXR_NDPI", "LERC"}
_LOSSY |= {"APERIO_JP2000_YCBC", "APERIO_JP2000_RGB"}
_GREY = {"MINISBLACK", "MINISWHITE", "RGB", "PALETTE"}
_CHANNELS = 8
_TAG_UNITS_NM = {2: 2.54e7, 3: 1e7}


def count_pages(path: Path) -> int:
    """Return how many slices a TIFF file holds: pages, or planes of an ImageJ stack."""
    with _opened(path) as file:
        return _planes(file)


def tiff_header(path: Path, page: int = 0) -> Header:
    """Read the header of one page of a TIFF file."""
    if page == 0:
        check_chain(path)
    with _opened(path) as file:
        _check_series(file)
        held = _page(file, page)
        _check_type(held)
        _check_segments(held, path.stat().st_size)
        voxel, tags = _voxel(file, held)
        return Header(
            "tiff",
            held.imagewidth,
            held.imagelength,
            held.bitspersample,
            "uint8" if held.dtype.kind == "b" else held.dtype.newbyteorder("=").name,
            lossy=held.compression.name in _LOSSY,
            samples=held.samplesperpixel,
            block_rows=min(held.tilelength or held.rowsperstrip, held.imagelength),
            orientation=int(getattr(held.tags.get("Orientation"), "value", 1)),
            white_is_zero=held.photometric.name == "MINISWHITE",
            palette=_palette(held),
            pages=_planes(file),
            voxel_nm=voxel,
            voxel_tags=tags,
        )


def tiff_rows(path: Path, page: int, start: int, stop: int, header: Header) -> np.ndarray:
    """Decode rows of one page of a TIFF file."""
    with _opened(path) as file:
        held = _page(file, page)
        values = _virtual_rows(file, held, page) if _is_virtual(file) else None
        if values is not None:
            values = values[start:stop]
        elif held.planarconfig == 2 and held.samplesperpixel > 1:
            values = np.moveaxis(held.asarray(), 0, -1)[start:stop]
        else:
            values = _segment_rows(file, held, start, stop)
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def page_digest(path: Path, page: int) -> tuple[int, str]:
    """Return number and sha256 of the bytes in which one page's pixels are stored."""
    digest, size = hashlib.sha256(), 0
    with _opened(path) as file:
        held = _page(file, page)
        spans = zip(held.dataoffsets, held.databytecounts, strict=True)
        if _is_virtual(file):
            spans = [(held.dataoffsets[0] + page * held.nbytes, held.nbytes)]
        for offset, count in spans:
            file.filehandle.seek(offset)
            data = file.filehandle.read(count)
            digest.update(data)
            size += len(data)
    return size, digest.hexdigest()


def _opened(path: Path) -> tifffile.TiffFile:
    return tifffile.TiffFile(path, _multifile=False)


def _is_virtual(file: tifffile.TiffFile) -> bool:
    # ImageJ writes stacks above 4 GiB as one page and a note of how many planes follow it.
    return _planes(file) > 1 and len(file.pages) == 1


def _planes(file: tifffile.TiffFile) -> int:
    series = file.series[0]
    if file.is_imagej and len(file.pages) == 1:
        return int((file.imagej_metadata or {}).get("images", 1))
    return len(series) if file.is_ome or file.is_imagej else len(file.pages)


def _page(file: tifffile.TiffFile, page: int) -> tifffile.TiffPage:
    if _is_virtual(file):
        return file.pages.first
    held = file.series[0][page] if file.is_ome else file.pages[page]
    if held is None:
        raise UnreadableSlice("SLICE_PAGES", "is a part of a set of files that belong together")
    return held.aspage()


def _check_series(file: tifffile.TiffFile) -> None:
    series = file.series[0]
    sizes = dict(zip(series.axes, series.shape, strict=True))
    several = [f"{axis} = {sizes[axis]}" for axis in "CTPR" if sizes.get(axis, 1) > 1]
    # Some programs store z under the name of another axis. A few channels are no stack, though.
    if len(several) == 1 and sizes.get("Z", 1) == 1 and not 1 < sizes.get("C", 1) <= _CHANNELS:
        several = []
    if several and (file.is_ome or file.is_imagej):
        raise UnreadableSlice(
            "SLICE_PAGES", f"holds several stacks ({', '.join(several)}); one is needed"
        )
    if not file.is_ome and len(file.pages) > 1 and len({p.shape for p in file.pages}) > 1:
        raise UnreadableSlice("SLICE_PAGES", f"holds {len(file.pages)} pages of several sizes")


def _check_type(page: tifffile.TiffPage) -> None:
    if page.photometric.name not in _GREY:
        raise UnreadableSlice(
            "SLICE_TYPE", f"has the colour model {page.photometric.name}, which is no grey scale"
        )
    if page.imagedepth > 1:
        text = f"holds blocks of {page.imagedepth} slices (ImageDepth); save each slice as a page"
        raise UnreadableSlice("SLICE_PAGES", text)
    if page.dtype is None or page.dtype.kind not in "uibf":
        raise UnreadableSlice("SLICE_TYPE", f"holds values of type {page.dtype}")


def _check_segments(page: tifffile.TiffPage, held: int) -> None:
    if not page.dataoffsets or 0 in page.databytecounts or 0 in page.dataoffsets:
        raise UnreadableSlice("SLICE_UNREADABLE", "has parts that were never written")
    spans = zip(page.dataoffsets, page.databytecounts, strict=True)
    needed = max(offset + count for offset, count in spans)
    if needed > held:
        raise UnreadableSlice(
            "SLICE_UNREADABLE", f"ends early: {held:,} of {needed:,} bytes are there"
        )
    if page.compression.name == "NONE" and sum(page.databytecounts) < page.nbytes * (
        page.bitspersample / (8 * page.dtype.itemsize)
    ):
        raise UnreadableSlice("SLICE_UNREADABLE", "holds fewer bytes than its pixels take")


def _virtual_rows(file: tifffile.TiffFile, page: tifffile.TiffPage, plane: int) -> np.ndarray:
    file.filehandle.seek(page.dataoffsets[0] + plane * page.nbytes)
    data = file.filehandle.read(page.nbytes)
    if len(data) < page.nbytes:
        raise UnreadableSlice("SLICE_UNREADABLE", f"ends early, in plane {plane + 1}")
    return np.frombuffer(data, page.dtype.newbyteorder(file.byteorder)).reshape(page.shape)


def _segment_rows(
    file: tifffile.TiffFile, page: tifffile.TiffPage, start: int, stop: int
) -> np.ndarray:
    """Decode the strips or tiles that hold some rows; segments are in row order."""
    rows = page.tilelength or page.rowsperstrip
    across = -(-page.imagewidth // page.tilewidth) if page.is_tiled else 1
    first, last = start // rows, -(-stop // rows)
    shape = (stop - start, page.imagewidth, page.samplesperpixel)
    out = np.zeros(shape, page.dtype.newbyteorder("="))
    for index in range(first * across, last * across):
        file.filehandle.seek(page.dataoffsets[index])
        data = file.filehandle.read(page.databytecounts[index])
        segment, (_, _, y, x, _), _ = page.decode(
            data, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader
        )
        if segment is None:
            raise UnreadableSlice("SLICE_UNREADABLE", "has parts that were never written")
        _place(out, segment[0], y - start, x)
    return out[..., 0] if page.samplesperpixel == 1 else out


def _place(out: np.ndarray, segment: np.ndarray, y: int, x: int) -> None:
    """Copy the part of a segment that lies inside; y may be negative or beyond."""
    above = max(0, -y)
    inside = segment[above : max(above, out.shape[0] - y), : out.shape[1] - x]
    y += above
    out[y : y + inside.shape[0], x : x + inside.shape[1]] = inside


def _palette(page: tifffile.TiffPage) -> tuple[tuple[int, int, int], ...]:
    if page.photometric.name != "PALETTE" or page.colormap is None:
        return ()
    return tuple(tuple(int(level) >> 8 for level in row) for row in page.colormap.T)


def _voxel(file: tifffile.TiffFile, page: tifffile.TiffPage):
    """Return the size of a voxel along x, y and z in nanometers, and the tags that say it."""
    if file.is_ome:
        names = tuple(f"PhysicalSize{axis}" for axis in "XYZ")
        sizes = tuple(_ome_size(file.ome_metadata or "", name) for name in names)
        return sizes, sizes_text(names, sizes)
    held = (file.imagej_metadata or {}) if file.is_imagej else {}
    tagged = _TAG_UNITS_NM.get(getattr(page.tags.get("ResolutionUnit"), "value", None))
    unit = nanometers_of(held.get("unit")) or tagged
    names = ("XResolution", "YResolution")
    sizes = tuple(_tag_size(page, name, unit) for name in names)
    spacing = held.get("spacing")
    # ImageJ writes a spacing of 1 where the depth of a voxel was never set.
    deep = None if spacing == 1 else size_of(spacing, unit)
    return (*sizes, deep), sizes_text((*names, "spacing"), (*sizes, deep))


def _ome_size(text: str, name: str) -> float | None:
    size = re.search(rf"""\b{name}=["']([^"']+)""", text)
    if size is None:
        return None
    unit = re.search(rf"""\b{name}Unit=["']([^"']+)""", text)
    return size_of(size.group(1), nanometers_of(html.unescape(unit.group(1)) if unit else "µm"))


def _tag_size(page: tifffile.TiffPage, name: str, unit: float | None) -> float | None:
    value = getattr(page.tags.get(name), "value", None)
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    return size_of_density(*value, unit)
