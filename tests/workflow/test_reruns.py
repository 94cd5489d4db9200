"""Reruns do what changed and nothing else; a killed run goes on with the same command."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from brainpublish.files import read_json
from readers import bossdb_over, voxels
from stacks import ROOT, STACK, TABLE, mask_as_read, write_jp2_stack


def test_nothing_changed_nothing_to_do(published):
    assert published.run().nothing_to_do
    assert published.run("-n").nothing_to_do


def test_touched_slices_cost_nothing(published):
    for path in (published.folder / "raw data").rglob("*.*"):
        path.touch()
    assert published.run().nothing_to_do


def test_fresh_clone_of_the_code_reruns_nothing(published, tmp_path):
    clone = tmp_path / "clone"
    for name in ("rules", "scripts", "config", "envs", "profiles"):
        shutil.copytree(ROOT / name, clone / name)
    shutil.copyfile(ROOT / "Snakefile", clone / "Snakefile")
    for path in clone.rglob("*"):
        path.touch()
    done = published.run("--snakefile", str(clone / "Snakefile"))
    assert done.nothing_to_do


def test_one_slice_changed_redoes_its_slab_only(published):
    changed = STACK.copy()
    changed[17, 5:30, 5:30] = 0
    changed[17, 30:35, 30:35] = 60_000
    write_jp2_stack(published.folder / "new", changed)
    # As rsync and cp -p copy it: with the time at which it was made elsewhere, before the run.
    os.utime(published.folder / "new" / "z18.jp2", (1_600_000_000, 1_600_000_000))
    (published.folder / "new" / "z18.jp2").replace(published.folder / "raw data/image/z18.jp2")
    planned = published.run("-n").jobs
    run = published.run()
    assert planned == run.jobs
    assert run.jobs == {
        "write_manifest": 1,
        "prepare_slab": 1,
        "check_channel": 3,
        "draw_channel": 3,
        "check_findings": 1,
        "upload_slab": 1,
        "publish_channel": 1,
        "all": 1,
    }
    with bossdb_over(published.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)
        assert np.array_equal(
            voxels(remote, "lab/fish/bone"), mask_as_read(published.folder, "bone")
        )
    assert published.run().nothing_to_do


def test_slice_that_became_black_is_erased(published):
    blank = np.zeros_like(STACK)
    write_jp2_stack(published.folder / "raw data" / "image", blank)
    published.run()
    receipt = read_json(published.result("receipts/bossdb/fish/image.json"))
    assert receipt["cuboids"] == {"total": 2, "sent": 0, "kept": 0, "erased": 2, "empty": 0}
    with bossdb_over(published.folder / "local-store") as remote:
        assert not voxels(remote, "lab/fish/image").any()


def test_changed_feature_redoes_its_bucket_only(published):
    (table,) = published.config["buckets"]["getting-started"]["tables"]
    table["features"]["spike_rate"]["unit"] = "1/s"
    run = published.run()
    assert set(run.jobs) == {
        "resolve_regions",
        "map_features",
        "draw_bucket",
        "check_findings",
        "publish_bucket",
        "all",
    }
    features = read_json(published.result("receipts/atlas/getting-started.json"))["features"]
    outcomes = {name: facts["outcome"] for name, facts in features.items()}
    assert outcomes == {"spike_rate": "updated", "spike_amplitude": "kept", "lfp_phase": "kept"}
    assert features["spike_rate"]["unit"] == "1/s"


def test_changed_label_redoes_its_channel_only(published):
    published.config["volumes"]["fish"]["annotations"][1]["label"] = 9
    run = published.run()
    assert run.jobs["upload_slab"] == 2
    with bossdb_over(published.folder / "local-store") as remote:
        expected = mask_as_read(published.folder, "rock") // 7 * 9
        assert np.array_equal(voxels(remote, "lab/fish/rock"), expected)


def test_lost_ledger_costs_reading_back_and_sends_nothing(published):
    shutil.rmtree(published.result("ledger"))
    published.run()
    receipt = read_json(published.result("receipts/bossdb/fish/image.json"))
    assert (receipt["cuboids"]["kept"], receipt["cuboids"]["sent"]) == (2, 0)
    assert receipt["verified"]["cuboids"] == 2
    assert published.run().nothing_to_do


def test_damaged_records_are_made_good_beside_what_changed(published):
    changed = STACK.copy()
    changed[3, 5:30, 5:30] = 0
    write_jp2_stack(published.folder / "raw data" / "image", changed)
    (record,) = published.result("ledger").rglob("image/channel.json")
    record.write_text("[]")
    published.result("uploads/fish/rock/0.json").write_text("")
    (published.folder / ".snakemake" / "brainpublish" / "halt.json").write_text("")
    run = published.run(check=False)
    assert "Unexpected" not in run.output
    published.run()
    assert published.run().nothing_to_do
    with bossdb_over(published.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)


def test_changed_destination_is_published_to_whatever_else_changed(published):
    published.config["local"] = {"store": "another store"}
    published.config["buckets"] = {}
    published.run()
    with bossdb_over(published.folder / "another store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), STACK)


def test_slab_that_an_earlier_run_left_undone_is_not_passed_over(published):
    changed = STACK.copy()
    changed[3, 5:30, 5:30] += 11
    write_jp2_stack(published.folder / "raw data" / "image", changed)
    (published.folder / "features.csv").write_text("acronym\nnowhere\n")
    assert published.run(check=False).status != 0
    (published.folder / "features.csv").write_text(TABLE)
    published.run()
    with bossdb_over(published.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)


@pytest.mark.parametrize(("seed", "kill"), [(0, os.killpg), (1, os.kill)])
def test_run_killed_anywhere_goes_on_with_the_same_command(project, seed, kill):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    project.run("-n")
    command += ["--directory", str(project.folder), "--cores", "2"]
    command += ["--configfile", str(project.folder / "my config.yaml")]
    started = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(random.Random(seed).uniform(4, 16))
    # Its jobs are killed with it, or go on by themselves with what is old by now.
    kill(started.pid, signal.SIGKILL)
    started.wait()
    changed = STACK.copy()
    changed[3, 5:30, 5:30] = 0
    write_jp2_stack(project.folder / "raw data" / "image", changed)
    project.run()
    with bossdb_over(project.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)
        for name in ("bone", "rock"):
            expected = mask_as_read(project.folder, name)
            assert np.array_equal(voxels(remote, f"lab/fish/{name}"), expected)
    assert project.run().nothing_to_do


def test_slice_that_changed_while_its_slab_was_made_is_not_passed_over(published):
    changed = STACK.copy()
    changed[3, 5:30, 5:30] = 0
    write_jp2_stack(published.folder / "raw data" / "image", changed)
    # The job read the slice before that, and was done after it.
    slab = published.result("volumes/fish/image/slabs/0.json")
    for path in (slab, published.result("volumes/fish/image/stack.zarr/0/c/0/0/0")):
        path.touch()
    published.run()
    with bossdb_over(published.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)


def grown(jp2: bytes, size: int) -> bytes:
    """Return a JP2 file with a box of free space behind it (ISO/IEC 15444-1, annex I)."""
    space = size - len(jp2)
    assert space >= 8
    return jp2 + space.to_bytes(4) + b"free" + bytes(space - 8)


def test_older_slice_of_equal_size_that_took_the_place_of_another_is_noticed(published):
    changed = STACK.copy()
    changed[3, 5:30, 5:30] = 0
    (slice_3,) = (published.folder / "raw data" / "image").glob("z4.*")
    write_jp2_stack(published.folder / "new", changed)
    other = published.folder / "new" / "z4.jp2"
    other.write_bytes(grown(other.read_bytes(), slice_3.stat().st_size))
    os.utime(other, (1_600_000_000, 1_600_000_000))
    other.replace(slice_3)
    jobs = published.run().jobs
    assert [jobs[name] for name in ("write_manifest", "prepare_slab", "upload_slab")] == [1, 1, 1]
    with bossdb_over(published.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)
    assert published.run("-n").nothing_to_do


def test_manifest_of_files_that_changed_under_it_is_made_anew(published):
    changed = STACK.copy()
    changed[3, 5:30, 5:30] = 0
    (slice_3,) = (published.folder / "raw data" / "image").glob("z4.*")
    before = slice_3.stat()
    write_jp2_stack(published.folder / "new", changed)
    # It changed after the manifest's job had read it, and before that was done. Its size, by
    # which the next run would notice, stays.
    slice_3.write_bytes(grown((published.folder / "new" / "z4.jp2").read_bytes(), before.st_size))
    os.utime(slice_3, ns=(before.st_mtime_ns, before.st_mtime_ns))
    stopped = published.run("--forcerun", "prepare_slab", check=False)
    assert "file changed while the run was going on" in stopped.output
    published.run()
    with bossdb_over(published.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), changed)
    assert published.run("-n").nothing_to_do


def test_what_is_forced_is_not_passed_over_when_a_gate_runs_again(published):
    (table,) = published.config["buckets"]["getting-started"]["tables"]
    table["features"]["spike_rate"]["unit"] = "1/s"
    assert "publish_channel" not in published.run("-n").jobs
    receipt = "results/receipts/bossdb/fish/image.json"
    assert published.run("-n", "-f", receipt).jobs["publish_channel"] == 1
    jobs = published.run("-n", "--forcerun", "create_resources").jobs
    # What it finds on the server may concern every slab.
    assert (jobs["create_resources"], jobs["upload_slab"]) == (1, 6)
