"""Reads PNG and JPEG. Arrays are y, x, or y, x, samples."""

import zlib
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

from brainpublish.slices.header import Header, UnreadableSlice, dtype_of_bits

# Large slices are this tool's daily work, so Pillow's guard against them is off.
Image.MAX_IMAGE_PIXELS = None

_ORIENTATION = 274
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_PALETTE = 3
_TRANSPARENT = b"tRNS"
_PNG_END = b"IEND\xaeB`\x82"
_PNG_TAIL = 2**16
_JPEG_END = b"\xff\xd9"
_JPEG_SAMPLES = {"L": 1, "RGB": 3}


def png_header(path: Path, page: int = 0) -> Header:
    """Read the header of a PNG file (W3C PNG specification, 11.2.1 IHDR)."""
    with path.open("rb") as file:
        start = file.read(26)
        file.seek(-min(_PNG_TAIL, path.stat().st_size), 2)
        end = file.read()
    if b"IEND" not in end[-12:] and _PNG_END not in path.read_bytes():
        raise UnreadableSlice("SLICE_UNREADABLE", "ends early: the closing IEND chunk is missing")
    width, height = int.from_bytes(start[16:20]), int.from_bytes(start[20:24])
    bits, colour = start[24], start[25]
    with Image.open(path) as image:
        palette = _palette_of(image) if colour == _PNG_PALETTE else ()
        # What Pillow's own reader of PNG adds is decoding the whole file, for tags behind pixels.
        exif = Image.Image.getexif(image)
    if _ORIENTATION not in exif:
        exif.load(_exif_behind_pixels(end))
    return Header(
        "png",
        width,
        height,
        bits,
        dtype_of_bits(bits),
        lossy=False,
        samples=_PNG_SAMPLES[colour],
        orientation=exif.get(_ORIENTATION, 1),
        palette=palette,
    )


def _exif_behind_pixels(end: bytes) -> bytes:
    """Return what an eXIf chunk among the last bytes of a PNG file holds, empty without one.

    Some programs add it there, and it counts wherever it is (PNG specification, 5.6).
    """
    at = end.rfind(b"eXIf")
    size = int.from_bytes(end[at - 4 : at]) if at >= 4 else 0
    body, check = end[at : at + 4 + size], end[at + 4 + size : at + 8 + size]
    is_chunk = size and zlib.crc32(body) == int.from_bytes(check)
    return body[4:] if is_chunk and len(check) == 4 else b""


def png_rows(path: Path, page: int, start: int, stop: int, header: Header) -> np.ndarray:
    """Decode a PNG file and return some of its rows.

    Raises:
        UnreadableSlice: also if a chunk's checksum is wrong, which decoders pass over.
    """
    data = path.read_bytes()
    chunks = _check_chunks(data)
    if header.bit_depth == 16 and (header.samples > 1 or _TRANSPARENT not in chunks):
        # Pillow would cut colours to 8 bits, and is slower; imagecodecs would make one of two
        # samples of a grey value that stands for transparency.
        return imagecodecs.png_decode(data)[start:stop]
    with Image.open(path) as image:
        values = np.asarray(image)[start:stop]
    if header.bit_depth == 1:
        return values.astype(np.uint8)
    if header.bit_depth in (2, 4) and not header.palette:
        # Pillow stretches such values to 0..255; this takes exactly that back.
        return values // (255 // ((1 << header.bit_depth) - 1))
    return values


def _check_chunks(data: bytes) -> set[bytes]:
    """Check all chunks up to the closing one; what follows it is none of the picture.

    Returns:
        The names of the chunks.
    """
    at, name, names = 8, b"", set()
    view = memoryview(data)
    while name != b"IEND":
        end = at + 8 + int.from_bytes(view[at : at + 4])
        if end + 4 > len(data):
            raise UnreadableSlice("SLICE_UNREADABLE", "ends early, inside a chunk")
        name = bytes(view[at + 4 : at + 8])
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4]):
            shown = name.decode("latin-1")
            raise UnreadableSlice("SLICE_UNREADABLE", f"its {shown} chunk has a wrong checksum")
        names.add(name)
        at = end + 4
    return names


def _palette_of(image: Image.Image) -> tuple[tuple[int, int, int], ...]:
    flat = image.getpalette("RGB") or []
    return tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True))


def jpeg_header(path: Path, page: int = 0) -> Header:
    """Read the header of a JPEG file."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 64), 2)
        end = file.read()
    # Some programs fill files up with zeros.
    if _JPEG_END not in end and _JPEG_END not in path.read_bytes().rstrip(b"\0")[-64:]:
        raise UnreadableSlice("SLICE_UNREADABLE", "ends early: the closing JPEG marker is missing")
    with Image.open(path) as image:
        if image.mode not in _JPEG_SAMPLES:
            raise UnreadableSlice(
                "SLICE_TYPE", f"has the colour model {image.mode!r}, which is no grey scale"
            )
        return Header(
            "jpeg",
            image.width,
            image.height,
            8,
            "uint8",
            lossy=True,
            samples=_JPEG_SAMPLES[image.mode],
            orientation=image.getexif().get(_ORIENTATION, 1),
        )


def jpeg_rows(path: Path, page: int, start: int, stop: int, header: Header) -> np.ndarray:
    """Decode a JPEG file and return some of its rows."""
    with Image.open(path) as image:
        return np.asarray(image)[start:stop]
