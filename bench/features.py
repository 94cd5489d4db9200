"""Region features: from a table to payloads, beside the library per feature, and their upload.

Prints what it took to resolve, map and build the payloads of 200 features over 300 regions on
both sides, how many times faster that is than iblbrainviewer called for each feature, and what
it took to upload them to the embedded atlas service and read them back. What the project and
the library take is the best of some tries each; the project's begin with cold caches.
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from iblbrainviewer.api import make_features, make_features_payload

from brainpublish.atlas.bucket import publish
from brainpublish.destination import open_atlas
from brainpublish.regions.collect import resolve_bucket
from brainpublish.regions.features import map_bucket
from brainpublish.regions.universe import brain_regions, universe

MOST_PREPARE, MOST_UPLOAD, LEAST_FASTER = 3.0, 2.0, 100.0
SAMPLED = 3  # tries of the project, features that the library is timed on


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=200)
    parser.add_argument("--regions", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        bucket = write_table(options.features, options.regions)
        prepare = min(in_child(seconds_to_prepare, bucket) for _ in range(SAMPLED))
        frame, findings = resolve_bucket(bucket)
        features, more = map_bucket(bucket, frame)
        errors = [finding for finding in (*findings, *more) if finding.severity == "error"]
        if errors or len(features) != options.features:
            raise SystemExit(f"the table was not taken: {errors[:3]}")
        library = by_library(frame) * options.features
        with open_atlas({"kind": "local", "store": "store"}) as endpoint, timed() as upload:
            publish(endpoint, bucket, features, "ledger")
        with open_atlas({"kind": "local", "store": "store"}) as endpoint, timed() as again:
            publish(endpoint, bucket, features, "ledger")
    faster = library / prepare
    print(f"{options.features} features over {options.regions} regions, both sides")
    print(f"  resolved, mapped and made payloads   {prepare:7.2f} s   (limit {MOST_PREPARE} s)")
    print(f"  the library, called per feature      {library:7.1f} s")
    print(f"  times faster                         {faster:7.0f}     (limit {LEAST_FASTER:.0f})")
    print(f"  uploaded and read back               {upload[0]:7.2f} s   (limit {MOST_UPLOAD} s)")
    print(f"  again, with nothing changed          {again[0]:7.2f} s")
    kept = prepare <= MOST_PREPARE and upload[0] <= MOST_UPLOAD and faster >= LEAST_FASTER
    print(f"  limits {'kept' if kept else 'MISSED'} on {os.cpu_count()} cores")


def seconds_to_prepare(bucket: dict) -> float:
    """Return the seconds from a table to payloads."""
    with timed() as taken:
        frame, _ = resolve_bucket(bucket)
        map_bucket(bucket, frame)
    return taken[0]


def in_child(function: Callable[[dict], float], bucket: dict) -> float:
    """Return what a function returns in a child process, whose caches end with it."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, [bucket])


@contextlib.contextmanager
def timed() -> Iterator[list[float]]:
    """Yield a list that holds the seconds of the block after it."""
    taken: list[float] = []
    start = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - start)


def write_table(features: int, regions: int) -> dict:
    """Write a table of random values, and return the section of a bucket that publishes it."""
    rng = np.random.default_rng(0)
    names = [f"feature_{number:03}" for number in range(features)]
    beryl = np.unique(brain_regions().mappings["Beryl"])
    known = [universe().regions[index].acronym for index in beryl if 1 < index <= 1326]
    table = pd.DataFrame(rng.normal(size=(regions, features)), columns=names)
    table.insert(0, "acronym", rng.choice(known, regions, replace=False))
    table.to_csv("table.csv", index=False)
    section = {
        "path": "table.csv",
        "regions": "acronym",
        "hemisphere": "both",
        "features": {name: {"column": name, "unit": "Hz"} for name in names},
    }
    return {"name": "bench", "tables": [section], "tree": None}


def by_library(frame: pd.DataFrame) -> float:
    """Return the seconds that the library takes for one feature, the best of some."""
    best = float("inf")
    for name in frame["feature"].unique()[:SAMPLED]:
        rows = frame[frame["feature"] == name]
        ids, values = rows["atlas_id"].to_numpy(), rows["value"].to_numpy()
        with timed() as taken, contextlib.redirect_stdout(io.StringIO()):
            make_features_payload(name, make_features(ids, values))
        best = min(best, taken[0])
    return best


if __name__ == "__main__":
    main()
