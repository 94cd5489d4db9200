"""The floors: decoding alone, sending the same bytes from memory, and our engine without jobs.

Run as a process of its own: floors.py decode FOLDER | engine RESULTS HOST CONNECTIONS CORES
"""

import itertools
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from brainpublish.bossdb.bounds import run_length
from brainpublish.bossdb.client import BossdbClient
from brainpublish.bossdb.cuboids import cuboids_of
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.ledger import BLANK, SlabLedger, begin_ledger
from brainpublish.bossdb.upload import Counts, SlabUpload, Verification
from brainpublish.files import read_json
from brainpublish.packing import packed_as
from brainpublish.slices.codecs import codecs_of
from brainpublish.slices.read import read_slice
from brainpublish.slices.slab import SlabReport
from brainpublish.slices.slabs import slab_count, slab_range
from brainpublish.slices.steps import read_plan
from brainpublish.slices.stored import StoredStack


def decode(folder: str) -> float:
    """Return the seconds that decoding all slices takes on all cores, and nothing else."""
    files = sorted(Path(folder).glob("*/*"))
    read_slice(files[0])
    begun = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda path: read_slice(path).shape, files):
            pass
    return time.perf_counter() - begun


def engine(results: str, host: str, connections: int, cores: int) -> dict:
    """Send each channel of finished stacks, without jobs around it, and then from memory."""
    endpoint = Endpoint("remote", "http", host, "bench", "token")
    figures = {}
    for folder in sorted(Path(results, "volumes", "bench").iterdir()):
        plan, _ = read_plan(folder / "plan.json")
        dtype = "uint16" if folder.name == "image" else "uint64"
        facts = {}
        for slab in (folder / "slabs").iterdir():
            facts |= SlabReport.from_dict(read_json(slab)).cuboids
        stack = StoredStack(folder / "stack.zarr", plan, facts)
        boxes = [
            list(cuboids_of(plan.extent, slab_range(slab, plan.depth, plan.extent[0])))
            for slab in range(slab_count(plan.extent[0], plan.depth))
        ]
        with BossdbClient(endpoint, connections) as client:
            client.check_token()
            begun = time.perf_counter()
            ledger = Path(results, "bench-ledger", folder.name)
            begin_ledger(ledger, "bench", plan.extent[0], BLANK)
            counts = Counts()
            for slab in boxes:
                with SlabLedger(ledger, slab, "bench") as held:
                    upload = SlabUpload(
                        client=client,
                        channel=f"lab/bench/{folder.name}",
                        dtype=dtype,
                        stack=stack,
                        ledger=held,
                        workers=cores,
                        run_length=run_length(dtype, local=False),
                        facts=facts,
                        packed=stack.packed,
                        codecs=codecs_of(plan),
                    )
                    counts += upload.run(slab, Verification("none"))
            ours = time.perf_counter() - begun
            floor = _from_memory(
                client,
                f"lab/floor/{folder.name}",
                [
                    (box, packed_as(codecs_of(plan).fast, stack[box.slices], dtype))
                    for box in itertools.chain(*boxes)
                    if not facts[box.key].blank
                ],
                connections,
            )
        voxels = int(np.prod(plan.extent)) * np.dtype(dtype).itemsize
        figures[folder.name] = {
            "seconds": ours,
            "floor": floor,
            "MB/s": voxels / ours / 1e6,
            "wire": counts.wire,
        }
    return figures


def _from_memory(client, channel: str, loads: list, connections: int) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        for _ in pool.map(lambda load: client.post_body(channel, *load), loads):
            pass
    return time.perf_counter() - begun


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    if kind == "decode":
        print(json.dumps({"seconds": decode(*arguments)}))
    else:
        results, host, connections, cores = arguments
        print(json.dumps(engine(results, host, int(connections), int(cores))))
