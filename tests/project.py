"""A folder with inputs and a config, and the real workflow run in it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from stacks import LABELS, MASKS, ROOT, STACK, TABLE, write_jp2_stack, write_mask_stack


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


def new_project(folder: Path) -> Project:
    """Make a folder with a stack of two slabs, two masks and a table."""
    write_jp2_stack(folder / "raw data" / "image", STACK)
    for name, inside in MASKS.items():
        write_mask_stack(folder / "raw data" / name, inside)
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
                # So few slices would make one slab.
                "slab_depth": 16,
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
                    for material, label in LABELS.items()
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
