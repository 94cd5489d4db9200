"""Small stacks and tables, and a way to run the real workflow on them."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from brainpublish.slices.openjpeg import use_bundled_openjpeg

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


@dataclass
class Project:
    """A folder with inputs and a config, and the workflow run in it."""

    folder: Path
    config: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)

    def run(self, *arguments: str, check: bool = True) -> "Run":
        """Run snakemake in the folder with the config as it is now."""
        path = self.folder / "my config.yaml"
        path.write_text(yaml.safe_dump(self.config))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", str(self.folder), "--configfile", str(path), "--cores", "2"]
        secret = re.compile("TOKEN|INTERN|BOSSDB|ATLAS|XDG_CONFIG_HOME")
        environment = {k: v for k, v in os.environ.items() if not secret.search(k)}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        environment |= {"HOME": str(home), **self.environment}
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env=environment, cwd=self.folder
        )
        run = Run(done.returncode, done.stdout + done.stderr)
        assert not check or run.status == 0, run.output
        return run

    def result(self, *parts: str) -> Path:
        """Return a path below results/."""
        return self.folder.joinpath("results", *parts)


@dataclass
class Run:
    """What a run of the workflow left: its exit status and all it printed."""

    status: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """Jobs per rule, as Snakemake's own table of them says."""
        table = re.findall(r"^(\w+) +(\d+)$", self.output, re.MULTILINE)
        return {rule: int(count) for rule, count in table if rule != "total"}

    @property
    def nothing_to_do(self) -> bool:
        """Whether Snakemake found nothing to do."""
        return "Nothing to be done" in self.output


@pytest.fixture
def project(tmp_path) -> Project:
    """A folder whose name has a blank, with a stack of two slabs, two masks and a table."""
    folder = tmp_path / "my project"
    stack = phantom(18, 40, 56)
    write_jp2_stack(folder / "raw data" / "image", stack)
    write_mask_stack(folder / "raw data" / "bone", stack > 1000)
    write_mask_stack(folder / "raw data" / "rock", stack < 150)
    (folder / "features.csv").write_text(TABLE)
    return Project(folder, whole_config())


def whole_config() -> dict:
    """A config with an image, two annotations and a bucket, published to embedded services."""
    names = ("spike_rate", "spike_amplitude", "lfp_phase")
    return {
        "destination": "local",
        "volumes": {
            "fish": {
                "voxel_size": [43.53, 43.53, 50],
                "voxel_unit": "micrometers",
                "image": {
                    "name": "bossdb://lab/fish/image",
                    "path": "raw data/image",
                    "pattern": "*.jp2",
                    "dtype": "uint16",
                },
                "annotations": [
                    {
                        "name": f"lab/fish/{material}",
                        "path": f"raw data/{material}",
                        "pattern": "*.jpg",
                        "dtype": "uint64",
                        "label": label,
                    }
                    for material, label in (("bone", 1), ("rock", 7))
                ],
            }
        },
        "buckets": {
            "getting-started": {
                "short_desc": "Getting started",
                "tables": [
                    {
                        "path": "features.csv",
                        "regions": "acronym",
                        "hemisphere": "left",
                        "features": {name: {"column": name, "unit": "Hz"} for name in names},
                    }
                ],
                "tree": {"Spike": {"rate (Hz)": "spike_rate"}, "phase": "lfp_phase"},
            }
        },
    }
