"""Stacks to publish: a micro-CT-like image and two masks, as files of a chosen format."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from brainpublish.slices.openjpeg import use_bundled_openjpeg

FORMATS = ("jp2", "jp2-lossy", "png", "tif")


def slice_of(z: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a slice y, x of uint16 with structure at several scales and noise, and the body."""
    rng = np.random.default_rng(z)
    y, x = np.mgrid[:side, :side] / side - 0.5
    body = (x + 0.05 * np.sin(z / 40)) ** 2 + 1.4 * y**2 < 0.16
    waves = np.sin(60 * x + z / 9) * np.sin(47 * y) + 0.5 * np.sin(240 * x * y + z / 5)
    noise = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), 0.8) * 2
    values = 9000 + body * (14000 + 5000 * waves) + 500 * noise
    return values.clip(0, 65535).astype(np.uint16), body & (waves > 0.6)


def write_stack(folder: Path, slices: int, side: int, form: str) -> int:
    """Write image, bone and rock below a folder; return the bytes of all pixels as published."""
    for name in ("image", "bone", "rock"):
        (folder / name).mkdir(parents=True)
    for z in range(slices):
        values, bone = slice_of(z, side)
        _write_image(folder / "image" / f"z{z:05}", values, form)
        for name, inside in (("bone", bone), ("rock", values > 25000)):
            mask = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
            mask.save(folder / name / f"z{z:05}.jpg", quality=90)
    return slices * side * side * (2 + 8 + 8)


def _write_image(stem: Path, values: np.ndarray, form: str) -> None:
    if form.startswith("jp2"):
        options = {"cratios": [10]} if form == "jp2-lossy" else {}
        use_bundled_openjpeg().Jp2k(stem.with_suffix(".jp2"), data=values, **options)
    else:
        Image.fromarray(values).save(stem.with_suffix(f".{form}"))
