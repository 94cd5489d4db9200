"""Run a command and measure it with all its descendants: wall, CPU, peak of summed memory."""

import contextlib
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.5
"""A look at all pages of all processes takes 15 ms of a core that is measured."""


@dataclass(frozen=True)
class Measured:
    """`memory` is the largest sum, over all processes at one moment, of their own share (PSS)."""

    wall: float
    cpu: float
    memory: int
    output: str


def run(command: list[str], cwd: Path, environment: dict[str, str]) -> Measured:
    """Run a command to its end, which must be a good one."""
    before = os.times()
    begun = time.perf_counter()
    with (cwd / "bench-output.txt").open("w+") as output:
        job = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        peak = 0
        while job.poll() is None:
            peak = max(peak, _memory(job.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.wait(SAMPLE_SECONDS)
        wall = time.perf_counter() - begun
        output.seek(0)
        text = output.read()
    if job.returncode:
        raise SystemExit(f"{command} ended with {job.returncode}:\n{text[-3000:]}")
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Measured(wall, cpu, peak, text)


def _memory(pid: int) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += _share(process.pid)
    return total


def _share(pid: int) -> int:
    # Shared pages counted once in all: the sum of plain sizes counts them per process.
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in text.splitlines())
    return sum(int(line[1]) * 1024 for line in lines if line[0] == "Pss:")
