"""Compare publishing to a counting service: this project, intern's own job, and the floors.

Prints wall time, CPU time, peak memory over all processes, bytes on the wire and requests. On a
busy machine trust ratios, not seconds. Run by `make bench`; sizes are options.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import yaml
from measure import Measured, run

from stacks import FORMATS, write_stack

HERE = Path(__file__).parent
ROOT = HERE.parent


@dataclass
class Bench:
    """A folder with a stack, and a service to publish it to."""

    folder: Path
    form: str
    host: str
    options: argparse.Namespace

    @property
    def suffix(self) -> str:
        """End of the image's file names."""
        return "." + self.form.partition("-")[0]

    @property
    def environment(self) -> dict[str, str]:
        """What a user has who publishes to the service, and nothing else."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG")}
        intern = {"PROTOCOL": "http", "HOST": self.host, "TOKEN": "token"}
        return {
            **kept,
            **{f"INTERN_{key}": value for key, value in intern.items()},
            "HOME": str(home),
            "PYTHONPATH": str(ROOT / "scripts"),
        }

    def ask(self, what: str) -> dict:
        """Ask the service for its counts; `_zero` and `_reset` begin anew."""
        with urlopen(f"http://{self.host}/{what}") as answer:
            return json.load(answer)

    def config(self, gate: str, verify: str) -> Path:
        """Write the config of a run and return its path."""

        def section(name: str, pattern: str, dtype: str) -> dict:
            path = str(self.folder / "raw" / name)
            return {"name": f"lab/bench/{name}", "path": path, "pattern": pattern, "dtype": dtype}

        masks = [section(name, "*.jpg", "uint64") for name in ("bone", "rock")]
        volume = {
            "voxel_size": [2, 2, 2],
            "voxel_unit": "micrometers",
            "image": section("image", f"*{self.suffix}", "uint16"),
            "annotations": masks,
        }
        bossdb = {"protocol": "http", "host": self.host, "gate": gate, "verify": verify}
        bossdb |= {"downsample": False, "connections": self.options.connections}
        path = self.folder / "config.yaml"
        config = {"destination": "remote", "bossdb": bossdb, "volumes": {"bench": volume}}
        path.write_text(yaml.safe_dump(config))
        return path

    def python(self, *arguments: str) -> Measured:
        """Run and measure a Python process in the folder."""
        return run([sys.executable, *arguments], self.folder, self.environment)

    def workflow(self, gate: str, verify: str, *arguments: str) -> Measured:
        """Run and measure the whole workflow."""
        config = str(self.config(gate, verify))
        where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        cores = ["--cores", str(self.options.cores)]
        return self.python("-m", "snakemake", *where, "--configfile", config, *cores, *arguments)

    def forget(self) -> None:
        """Undo all that a run left, here and on the service."""
        for name in ("results", "logs", "benchmarks", ".snakemake"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.ask("_reset")

    def unsend(self) -> None:
        """Undo what was sent, but keep the stacks."""
        for name in ("ledger", "uploads", "receipts"):
            shutil.rmtree(self.folder / "results" / name, ignore_errors=True)
        self.ask("_reset")

    def show(self, what: str, measured: Measured, floor: float | None = None) -> float:
        """Print a line of figures and return the wall time; the counts begin anew."""
        counts = self.ask("_zero")
        text = (
            f"  {what:34} {measured.wall:7.1f} s {measured.cpu:7.1f} CPU-s "
            f"{measured.memory / 2**20:6.0f} MiB {counts.get('bytes', 0) / 1e6:7.1f} MB "
            f"{counts.get('requests', 0):5} requests"
        )
        if floor:
            text += f"   {measured.wall / floor:.2f} x decode floor"
        print(text, flush=True)
        return measured.wall


@contextlib.contextmanager
def service(latency: float, megabits: float) -> Iterator[str]:
    """Run the counting service and yield its host and port."""
    command = [sys.executable, str(HERE / "service.py"), "--latency", str(latency), "--keep"]
    command += ["--bandwidth", str(megabits * 1e6 / 8)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def compare(bench: Bench) -> None:
    """Print all figures of one stack and one service."""
    folder = str(bench.folder / "raw")
    floor = json.loads(bench.python(str(HERE / "floors.py"), "decode", folder).output)["seconds"]
    print(f"  {'decode-only floor, all cores':34} {floor:7.1f} s")
    bench.ask("_zero")
    peer = None
    if bench.options.peer:
        peer = bench.show("intern's ZSliceIngestJob", _peer(bench, folder), floor)
    for gate, verify in (("volume", "none"), ("slab", "none"), ("slab", "full")):
        bench.forget()
        wall = bench.show(f"workflow, {gate}, verify {verify}", bench.workflow(gate, verify), floor)
        if peer:
            print(f"  {'':34} {peer / wall:7.2f} times as fast as intern")
    bench.show("nothing changed", bench.workflow("slab", "full"))
    bench.unsend()
    bench.show("workflow, from finished stacks", bench.workflow("slab", "none"))
    _engine(bench)


def _peer(bench: Bench, folder: str) -> Measured:
    return bench.python(str(HERE / "peer.py"), folder, bench.suffix)


def _engine(bench: Bench) -> None:
    options = bench.options
    arguments = (bench.host, str(options.connections), str(options.cores))
    done = bench.python(
        str(HERE / "floors.py"), "engine", str(bench.folder / "results"), *arguments
    )
    for name, figures in json.loads(done.output.splitlines()[-1]).items():
        print(
            f"  engine alone, {name:19} {figures['seconds']:7.2f} s {figures['MB/s']:7.0f} MB/s "
            f"{figures['wire'] / 1e6:7.1f} MB   from memory {figures['floor']:.2f} s"
        )
    bench.ask("_zero")


def main() -> None:
    """Make the stacks that are asked for and compare on each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=64)
    parser.add_argument("--side", type=int, default=1024, help="width and height of a slice")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=["jp2", "jp2-lossy"])
    parser.add_argument("--latencies", nargs="+", type=float, default=[0, 50, 200], help="in ms")
    parser.add_argument(
        "--megabits", type=float, default=0, help="bandwidth of the service; 0: any"
    )
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    options = parser.parse_args()
    for form in options.formats:
        with tempfile.TemporaryDirectory(prefix="bench ") as folder:
            size = write_stack(Path(folder, "raw"), options.slices, options.side, form)
            print(f"\n{options.slices} slices of {options.side}, {form}: {size / 1e6:.0f} MB")
            for latency in options.latencies:
                with service(latency / 1000, options.megabits) as host:
                    print(f" {latency:.0f} ms, {options.megabits or 'any'} Mb/s")
                    compare(Bench(Path(folder), form, host, options))


if __name__ == "__main__":
    main()
