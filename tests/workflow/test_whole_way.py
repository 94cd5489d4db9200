"""From raw slices and a table to receipts, on the embedded services."""

import json

import numpy as np
import pytest
import zarr

from brainpublish.files import read_json
from brainpublish.slices.read import read_slice
from project import Project
from readers import bossdb_over, features_over, voxels
from stacks import SHARED, STACK, mask_as_read

RECEIPTS = [
    "receipts/bossdb/fish/image.json",
    "receipts/bossdb/fish/bone.json",
    "receipts/bossdb/fish/rock.json",
    "receipts/atlas/getting-started.json",
]


def test_first_run_does_every_job_once_and_names_the_receipts(first_run):
    project, run = first_run
    assert run.jobs == {
        "write_manifest": 3,
        "prepare_slab": 6,
        "check_channel": 3,
        "draw_channel": 3,
        "resolve_regions": 1,
        "map_features": 1,
        "draw_bucket": 1,
        "check_findings": 1,
        "create_resources": 1,
        "upload_slab": 6,
        "publish_channel": 3,
        "publish_bucket": 1,
        "all": 1,
    }
    for receipt in RECEIPTS:
        assert project.result(receipt).is_file()
        assert f"results/{receipt}" in run.output


def test_published_voxels_are_those_of_the_files(first_run):
    folder = first_run[0].folder
    with bossdb_over(folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), STACK)
        for name in ("bone", "rock"):
            published = voxels(remote, f"lab/fish/{name}")
            assert published.dtype == np.uint64
            assert np.array_equal(published, mask_as_read(folder, name))
            facts = remote.get_channel(name, "lab", "fish")
            assert (facts.type, facts.sources) == ("annotation", ["image"])
        frame = remote.get_coordinate_frame("CF_lab_fish")
        assert (frame.x_voxel_size, frame.z_voxel_size, frame.voxel_unit) == (
            43.53,
            50,
            "micrometers",
        )
        assert (frame.x_stop, frame.y_stop, frame.z_stop) == (56, 40, 18)


def test_published_features_are_those_of_the_table(first_run, tmp_path, monkeypatch):
    store = first_run[0].folder / "local-store"
    with features_over(store, "getting-started", tmp_path, monkeypatch) as uploader:
        assert set(uploader.list_features()) == {"spike_rate", "spike_amplitude", "lfp_phase"}
        feature = uploader.get_features("spike_rate")
        tree = uploader.get_bucket_metadata()["metadata"]["tree"]
    assert feature["unit"] == "Hz"
    allen = feature["feature_data"]["mappings"]["allen"]["data"]
    values = {int(index): held["mean"] for index, held in allen.items()}
    assert values == {1346: 1.2, 1347: 1.2, 1352: 3.4, 1355: 3.4, 1554: 0.1, 1556: 0.1, 1921: 0.0}
    assert tree == {"Spike": {"rate (Hz)": "spike_rate"}, "phase": "lfp_phase"}


def test_receipts_say_what_was_verified_and_nothing_private(first_run):
    project, _ = first_run
    image = read_json(project.result(RECEIPTS[0]))
    assert image["channel"] == "lab/fish/image"
    assert image["extent"] == [18, 40, 56]
    assert image["cuboids"] == {"total": 2, "sent": 2, "kept": 0, "erased": 0, "empty": 0}
    assert image["verified"] == {"mode": "full", "cuboids": 2, "mismatches": 0}
    assert image["bytes"]["raw"] == STACK.nbytes
    assert image["downsample"] == {"status": "DOWNSAMPLED"}
    secrets = read_json(project.folder / "local-store" / "secrets.json")
    for receipt in RECEIPTS:
        text = project.result(receipt).read_text()
        assert str(project.folder) not in text
        assert not any(token in text for token in secrets.values())


def test_stacks_open_as_volumes(first_run):
    folder = first_run[0].result("volumes/fish")
    assert np.array_equal(zarr.open_group(folder / "image" / "stack.zarr", mode="r")["0"][:], STACK)
    bone = zarr.open_group(folder / "bone" / "stack.zarr", mode="r")["0"]
    assert (bone.dtype, bone.shards, bone.chunks) == (np.uint8, (16, 512, 512), (16, 512, 512))


def test_findings_are_left_for_every_channel_and_bucket(first_run):
    project, _ = first_run
    for part in ("volumes/fish/image", "volumes/fish/rock", "features/getting-started"):
        findings = json.loads(project.result(part, "findings.json").read_text())
        assert all(set(f) == {"code", "severity", "where", "message", "fix"} for f in findings)
        assert not [f for f in findings if f["severity"] == "error"]


@pytest.mark.parametrize(("key", "jobs"), [("volumes", 3), ("buckets", 1)])
def test_one_half_alone_is_enough(published, key, jobs):
    other = "buckets" if key == "volumes" else "volumes"
    published.config[other] = {}
    published.config["local"] = {"store": "another store"}
    run = published.run()
    published_jobs = run.jobs.get("publish_channel", 0) + run.jobs.get("publish_bucket", 0)
    assert published_jobs == jobs
    assert (published.folder / "another store").is_dir()


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared sample data")
def test_real_stack_and_table_arrive_without_a_false_alarm(tmp_path):
    project = Project(tmp_path, real_config())
    project.run()
    files = [SHARED / "mouse-brain-u16" / "slices" / f"z{z}.jp2" for z in range(30)]
    masks = [SHARED / "mouse-brain-u16" / "bright" / f"bright_{z:03}.jpg" for z in range(30)]
    with bossdb_over(tmp_path / "local-store") as remote:
        expected = np.stack([read_slice(file) for file in files])
        assert np.array_equal(voxels(remote, "cellfinder/mouse/signal"), expected)
        inside = np.stack([read_slice(file) for file in masks]) >= 128
        assert np.array_equal(voxels(remote, "cellfinder/mouse/bright"), inside)
    for channel in ("signal", "bright"):
        findings = read_json(project.result("volumes/mouse", channel, "findings.json"))
        assert {finding["severity"] for finding in findings} == {"note"}


def real_config() -> dict:
    """Return a config for the sample stack, its masks and a table of full region names."""
    mouse = str(SHARED / "mouse-brain-u16")
    table = str(SHARED / "region-tables" / "cell_counts_by_name.csv")
    image = {"name": "cellfinder/mouse/signal", "path": f"{mouse}/slices", "pattern": "*.jp2"}
    masks = {"name": "cellfinder/mouse/bright", "path": f"{mouse}/bright", "pattern": "*.jpg"}
    volume = {"voxel_size": [2, 2, 5], "voxel_unit": "micrometers"}
    cells = {"left_cells": {"column": "left_cell_count", "unit": "cells"}}
    source = {"path": table, "regions": "structure_name", "hemisphere": "left", "features": cells}
    return {
        "volumes": {
            "mouse": {**volume, "image": {**image, "dtype": "uint16"}, "annotations": [masks]}
        },
        "buckets": {"cell-counts": {"short_desc": "Cell counts", "tables": [source]}},
    }
