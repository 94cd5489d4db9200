"""The bad-data gallery: stacks with one fault each, as labs have them, made as files.

Each case writes slices into a folder and says what must be found: code and place.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from stacks import phantom

STACK = phantom(18, 72, 80)
INSIDE = STACK > 1000
Z, Y, X = np.indices(STACK.shape)
LABELS = ((1 + Y // 24 + 3 * (X // 20)) * INSIDE).astype(np.uint8)


@dataclass(frozen=True)
class Case:
    """`make` writes slices into a folder; `where` is the end of the place that is named."""

    name: str
    make: Callable[[Path], None]
    code: str
    where: str = ""
    says: str = ""
    keys: dict = field(default_factory=dict)
    image: Callable[[Path], None] | None = None

    def __str__(self) -> str:
        return self.name


def png(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path)


def tif(path: Path, values: np.ndarray, **options) -> None:
    tifffile.imwrite(path, values, **options)


def jp2(path: Path, values: np.ndarray) -> None:
    use_bundled_openjpeg().Jp2k(path, data=values)


def jpg(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path, quality=80)


def stack(write=tif, values=STACK, name="z{:03}.tif", first=1, **options):
    """Return a function that writes a stack into a folder, one file a slice."""

    def make(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for z, plane in enumerate(values, start=first):
            write(folder / name.format(z), plane, **options)

    return make


def then(make: Callable, change: Callable[[Path], None]):
    """Return a function that writes a stack and then does something to the folder."""

    def both(folder: Path) -> None:
        make(folder)
        change(folder)

    return both


def cut(name: str, share: float = 0.6):
    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return change


def replaced(name: str, data: bytes):
    return lambda folder: (folder / name).write_bytes(data)


def rewritten(name: str, write: Callable, values: np.ndarray, **options):
    return lambda folder: write(folder / name, values, **options)


def renamed(old: str, new: str):
    return lambda folder: (folder / old).rename(folder / new)


def removed(*names: str):
    return lambda folder: [(folder / name).unlink() for name in names]


def copied(old: str, new: str):
    return lambda folder: (folder / new).write_bytes((folder / old).read_bytes())


def turned(folder: Path, values: np.ndarray | None = None) -> None:
    exif = Image.Exif()
    exif[274] = 6
    picture = (STACK[2] // 16).astype(np.uint8) if values is None else values
    Image.fromarray(picture).save(folder / "z003.jpg", exif=exif)


def lying(folder: Path) -> None:
    """Store slice 3 on its side, as a camera does, with the tag that says so."""
    turned(folder, np.rot90((STACK[2] // 16).astype(np.uint8)))


def huge_header(folder: Path) -> None:
    data = bytearray(imagecodecs.jpeg2k_encode(STACK[4], codecformat="j2k"))
    data[8:16] = (100_000).to_bytes(4) * 2
    (folder / "z005.jp2").write_bytes(data)


def filled_up(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes() + bytes(200))


def bytes_changed(folder: Path) -> None:
    data = bytearray((folder / "z004.png").read_bytes())
    data[len(data) // 2] ^= 255
    (folder / "z004.png").write_bytes(data)


def bit_flipped(folder: Path) -> None:
    data = bytearray((folder / "z004.jp2").read_bytes())
    data[len(data) // 2] ^= 16
    (folder / "z004.jp2").write_bytes(data)


BYTES = (STACK // 16).astype(np.uint8)
MASK = np.where(INSIDE, 255, 0).astype(np.uint8)
JP2 = stack(jp2, name="z{:03}.jp2")
JPEG = stack(jpg, BYTES, "z{:03}.jpg")
PNG = stack(png, STACK, "z{:03}.png")
TIF = stack()
MASKS = stack(png, MASK, "m{:03}.png")


def through_jpeg(values: np.ndarray) -> np.ndarray:
    """Return slices as they come out of JPEG files."""
    return np.stack([imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(v, 75)) for v in values])


NOISY = through_jpeg(MASK)
NOISY_LABELS = through_jpeg((LABELS % 5 * 50).astype(np.uint8))
SMOOTH = ((MASK.astype(int) + np.roll(MASK, 1, 1) + np.roll(MASK, 1, 2)) // 3).astype(np.uint8)
SPREAD = (LABELS * 20).astype(int)
BLENDED = ((SPREAD + np.roll(SPREAD, 1, 1) + np.roll(SPREAD, 2, 1)) // 3).astype(np.uint8)
COLOURS = np.array([[i * 12, 255 - i * 9, i * 7] for i in range(20)], np.uint8)[LABELS]
RGB = np.stack([BYTES, BYTES // 2, BYTES // 3], axis=-1)
SIGNED = STACK.astype(np.int16) - 1024
FLOATS = (STACK / 4000).astype(np.float32)


def palette_png(path: Path, values: np.ndarray) -> None:
    picture = Image.fromarray(values, "P")
    picture.putpalette([level for i in range(256) for level in (i, 9, 255 - i)])
    picture.save(path)


def stack_in_steps(folder: Path) -> None:
    for z in range(18):
        stack(values=STACK[z : z + 1], name="s{:04}.tif", first=1 + 25 * z)(folder)
