"""Compare checking a stack with decoding it: the floor is a bare loop of two threads.

Prints the wall time of a slab job's own work, and of `snakemake check` as a whole, as ratios to
that loop, and the peak memory beside what the slab's rule declares. On a busy machine trust
ratios, not seconds. Run by `make bench`; sizes are options.
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from measure import run

from brainpublish.slices.discover import list_slices
from brainpublish.slices.openjpeg import use_bundled_openjpeg
from brainpublish.slices.plan import read_plan
from brainpublish.slices.slabs import slab_count, slab_depth
from brainpublish.slices.steps import make_manifest, make_slab
from stacks import write_stack

ROOT = Path(__file__).parents[1]
THREADS = 2


def bare_loop(files: list[str]) -> float:
    """Return the seconds in which two threads decode all files with glymur as it comes."""
    glymur = use_bundled_openjpeg()
    ours = glymur.get_option("lib.num_threads")
    glymur.set_option("lib.num_threads", 1)
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda path: glymur.Jp2k(path)[:].shape, files):
            pass
    taken = time.perf_counter() - begun
    glymur.set_option("lib.num_threads", ours)
    return taken


def slab_work(raw: Path, results: Path) -> float:
    """Return the seconds that the work of all slab jobs takes in one process."""
    listing = list_slices(str(raw), "*.jp2")
    channel = image_section(raw) | {"role": "image", "waive": []}
    size = raw_bytes(listing.files[0])
    depth = slab_depth(len(listing.places), "auto", size, "jp2")
    manifest, plan, stack = results / "slices.tsv", results / "plan.json", results / "stack.zarr"
    settings = {"channel": channel, "listing": listing.as_settings(), "depth": depth}
    make_manifest(settings, THREADS, manifest, plan, results / "stamps.json", stack)
    begun = time.perf_counter()
    for slab in range(slab_count(read_plan(plan)[0].extent[0], depth)):
        report = results / f"{slab}.json"
        make_slab({"channel": channel}, slab, THREADS, manifest, plan, stack, report)
    return time.perf_counter() - begun


def raw_bytes(path: str) -> int:
    """Return the bytes of a slice of uint16."""
    height, width = use_bundled_openjpeg().Jp2k(path).shape
    return 2 * height * width


def image_section(raw: Path) -> dict:
    """Return what the config says of the stack."""
    return {
        "name": "bench/decode/image",
        "path": str(raw),
        "pattern": "*.jp2",
        "dtype": "uint16",
        "voxel_size": [2, 2, 2],
        "voxel_unit": "micrometers",
    }


def checked(raw: Path, folder: Path):
    """Run `snakemake check` on the stack; return wall time and memory."""
    section = image_section(raw)
    volume = {key: section.pop(key) for key in ("voxel_size", "voxel_unit")}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({"volumes": {"stack": {**volume, "image": section}}}))
    command = [sys.executable, "-m", "snakemake", "check", "--quiet", "--cores", str(THREADS)]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", str(config)]
    return run([*command, "--directory", str(folder)], folder, dict(os.environ))


def main() -> None:
    """Measure in turn, several times, and print the medians' ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slices", type=int, default=128)
    options.add_argument("--side", type=int, default=2048)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--form", choices=("jp2", "jp2-lossy"), default="jp2")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_stack(folder / "raw", given.slices, given.side, given.form)
        raw = folder / "raw" / "image"
        files = sorted(map(str, raw.iterdir()))
        print(f"{given.slices} slices of {given.side} x {given.side}, {given.form}")
        bare, slabs, whole = [], [], []
        for repeat in range(given.repeats):
            bare.append(bare_loop(files))
            slabs.append(slab_work(raw, folder / f"slabs {repeat}"))
            job = folder / f"check {repeat}"
            job.mkdir()
            whole.append(checked(raw, job))
        middle = given.repeats // 2
        floor = sorted(bare)[middle]
        print(f"bare loop of two threads      {floor:8.2f} s")
        for title, seconds in (
            ("slab jobs' own work", sorted(slabs)[middle]),
            ("snakemake check", sorted(each.wall for each in whole)[middle]),
        ):
            print(f"{title:28} {seconds:9.2f} s   {seconds / floor:.2f} times the bare loop")
        print(f"peak memory of the check     {max(each.memory for each in whole) / 2**20:9.0f} MiB")


if __name__ == "__main__":
    main()
