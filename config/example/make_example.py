"""Make the slices and masks of the shipped example: a small micro-CT-like phantom.

Nobody needs to run this to use the workflow: its output is committed beside it. It is kept so
that everyone can see what the truth behind the masks is. The same call gives the same bytes:

    python config/example/make_example.py FOLDER

The phantom is a soft body in air, with a bone and some rock in it. Its sides are no multiples
of a cuboid's (16 x 512 x 512), and neither is its number of slices: the blocks at its borders
are cut short, as in real volumes. Grey values, texture and noise are kept low, so that slices
without any loss stay small enough to ship.
"""

import argparse
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg

DEPTH, HEIGHT, WIDTH = 43, 600, 700
SEED = 20220043

AIR, SOFT, BONE, ROCK = 120, 900, 2600, 4000
TEXTURE_WAVES, TEXTURE_AMPLITUDE = 9, 26
NOISY_SHARE = 0.1  # of the body's voxels: half of them one grey value up, half one down
EDGE_BLUR = 2.5  # voxels over which one material passes into the next, as in a real scan
JPEG_QUALITY = 75


def truth(z: int) -> dict[str, np.ndarray]:
    """Return the materials of one slice as boolean arrays (y, x)."""
    return {name: distance < 0 for name, distance in _distances(z).items() if name != "body"}


def image_slice(z: int) -> np.ndarray:
    """Return one slice of the scan: uint16, (y, x)."""
    distances = _distances(z)
    texture = _texture(z)
    grey = _blend(AIR, SOFT + texture, distances["body"])
    grey = _blend(grey, BONE + 2 * texture, distances["bone"])
    grey = _blend(grey, ROCK - 2 * texture, distances["rock"])
    return np.rint(grey + np.where(distances["body"] < 0, _noise(z), 0)).astype(np.uint16)


def write_example(folder: Path, slices: Iterable[int] = range(DEPTH)) -> None:
    """Write image/, bone/ and rock/ below a folder: lossless JP2, and JPEG with its usual noise.

    `slices` are z positions; the files count from 1 and are not padded (slice_1 to slice_43).
    """
    glymur = use_bundled_openjpeg()
    for name in ("image", "bone", "rock"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for z in slices:
        glymur.Jp2k(folder / "image" / f"slice_{z + 1}.jp2", data=image_slice(z))
        for name, inside in truth(z).items():
            mask = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
            path = folder / name / f"slice_{z + 1}.jpg"
            mask.save(path, quality=JPEG_QUALITY, optimize=True)


def _distances(z: int) -> dict[str, np.ndarray]:
    """Return how far each voxel lies from a material's surface: voxels, negative inside."""
    turn = z / DEPTH
    body = _ellipse(365, 415, 178, 230, tilt=0.15 * turn)
    skull = _ellipse(380, 445, 118 + 20 * turn, 160 - 16 * turn, tilt=0.15 * turn)
    shell = np.abs(skull + 8) - 8
    spine = [
        _ellipse(285 + 9 * bead, 240 + 20 * bead + 6 * turn, 10 + 5 * turn, 8, tilt=0.6)
        for bead in range(4)
    ]
    stones = [
        _ellipse(355 + 24 * turn, 410, 27 * _bulge(z, 8, 22), 37 * _bulge(z, 8, 22), tilt=0.4),
        _ellipse(405, 480 - 20 * turn, 20 * _bulge(z, 22, 26), 25 * _bulge(z, 22, 26), tilt=-0.3),
        _ellipse(360, 520, 14 * _bulge(z, 38, 14), 19 * _bulge(z, 38, 14), tilt=0.9),
    ]
    return {"body": body, "bone": _nearest([shell, *spine]), "rock": _nearest(stones)}


def _ellipse(y: float, x: float, half_height: float, half_width: float, tilt: float) -> np.ndarray:
    """Return the distance from an ellipse's border, good near the border; (y, x)."""
    if min(half_height, half_width) < 1:
        return np.full((HEIGHT, WIDTH), float(HEIGHT + WIDTH))
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    dy, dx = rows - y, columns - x
    along = (dx * math.cos(tilt) + dy * math.sin(tilt)) / half_width
    across = (dy * math.cos(tilt) - dx * math.sin(tilt)) / half_height
    return (np.hypot(along, across) - 1) * min(half_height, half_width)


def _bulge(z: int, middle: int, half_depth: int) -> float:
    """Return the relative radius, 0 to 1, of an ellipsoid's section at a slice."""
    return math.sqrt(max(0.0, 1 - ((z - middle) / half_depth) ** 2))


def _nearest(distances: Iterable[np.ndarray]) -> np.ndarray:
    return np.minimum.reduce(list(distances))


def _blend(outside, inside, distance: np.ndarray) -> np.ndarray:
    share = np.clip(0.5 - distance / EDGE_BLUR, 0, 1)
    return outside * (1 - share) + inside * share


def _texture(z: int) -> np.ndarray:
    """Return slow waves in all directions, the same field for every slice; (y, x)."""
    rng = np.random.default_rng(SEED)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    field = np.zeros((HEIGHT, WIDTH))
    for _ in range(TEXTURE_WAVES):
        kz, ky, kx = rng.uniform(-0.07, 0.07, 3)
        field += np.cos(kz * z + ky * rows + kx * columns + rng.uniform(0, 2 * math.pi))
    return field * TEXTURE_AMPLITUDE / math.sqrt(TEXTURE_WAVES)


def _noise(z: int) -> np.ndarray:
    dice = np.random.default_rng([SEED, z]).random((HEIGHT, WIDTH))
    return (dice > 1 - NOISY_SHARE / 2).astype(int) - (dice < NOISY_SHARE / 2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the slices and masks of the example.")
    parser.add_argument("folder", type=Path)
    write_example(parser.parse_args().folder)
