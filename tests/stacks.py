"""Small stacks, masks and a table for tests, and where the real sample data are."""

from pathlib import Path

import numpy as np
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.read import read_slice

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"


def phantom(slices: int, height: int, width: int) -> np.ndarray:
    """An image z, y, x of uint16: a bright, slowly moving disc on a noisy ground."""
    rng = np.random.default_rng(7)
    z, y, x = np.ogrid[:slices, :height, :width]
    inside = (y - height / 2) ** 2 + (x - width / 2 - z) ** 2 < (height / 3) ** 2
    ground = rng.integers(100, 200, (slices, height, width))
    return (ground + 3000 * inside).astype(np.uint16)


def write_jp2_stack(folder: Path, stack: np.ndarray) -> None:
    """Write slices as lossless JP2 under unpadded names, z1.jp2 and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for z, values in enumerate(stack, start=1):
        use_bundled_openjpeg().Jp2k(folder / f"z{z}.jp2", data=values)


def write_mask_stack(folder: Path, masks: np.ndarray, suffix: str = ".jpg") -> None:
    """Write boolean slices as 8-bit masks, 0 and 255, under unpadded names."""
    folder.mkdir(parents=True, exist_ok=True)
    for z, inside in enumerate(masks, start=1):
        Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(folder / f"m{z}{suffix}")


TABLE = """acronym,spike_rate,spike_amplitude,lfp_phase
MOp1,1.2,12.5,0.1
MOs5,3.4,30.5,-1.2
AAA,0.0,9.25,2.5
ACAd2/3,0.1,15.0,0.5
"""

STACK = phantom(18, 40, 56)
_DISC = STACK > 1000
MASKS = {"bone": _DISC, "rock": np.roll(_DISC, 20, axis=2) & ~_DISC}
LABELS = {"bone": 1, "rock": 7}


def mask_as_read(folder: Path, name: str) -> np.ndarray:
    """Return what a project's mask must be published as: its files thresholded at 128."""
    files = (folder / "raw data" / name / f"m{z}.jpg" for z in range(1, 19))
    return np.stack([read_slice(file) >= 128 for file in files]).astype(np.uint64) * LABELS[name]
