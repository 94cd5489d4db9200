"""Keys of the config that change how a run goes: gate, verify, public, downsample."""

import re

import numpy as np

from brainpublish.files import read_json
from readers import bossdb_over, voxels
from stacks import MASKS, STACK, write_mask_stack


def receipt_of(project, channel: str) -> dict:
    return read_json(project.result("receipts/bossdb/fish", f"{channel}.json"))


def test_slabs_are_sent_one_by_one_under_gate_slab(project):
    project.config["buckets"] = {}
    project.config["bossdb"] = {"gate": "slab", "connections": 3}
    run = project.run()
    assert run.jobs["check_headers"] == 1
    with bossdb_over(project.folder / "local-store") as remote:
        assert np.array_equal(voxels(remote, "lab/fish/image"), STACK)


def test_bad_header_stops_gate_slab_before_anything_is_sent(project):
    project.config["bossdb"] = {"gate": "slab"}
    (project.folder / "raw data" / "image" / "z5.jp2").write_text("<html>")
    write_mask_stack(project.folder / "raw data" / "bone", MASKS["bone"][:, :35])
    run = project.run(check=False)
    assert run.status != 0
    assert "raw data/image/z5.jp2" in run.output
    assert "masks are 56 x 35, image slices 56 x 40" in run.output
    assert not list((project.folder / "local-store").glob("bossdb/volumes/*"))


def test_receipt_says_how_much_was_verified(published):
    published.config["bossdb"] = {"verify": "none", "downsample": False, "public": True}
    published.config["local"] = {"store": "another store"}
    published.config["buckets"] = {}
    published.run()
    receipt = receipt_of(published, "image")
    assert receipt["verified"]["mode"] == "none"
    assert receipt["verified"]["cuboids"] == 0
    assert receipt["public"] is True
    assert "DOWNSAMPLED" not in receipt["downsample"]["status"].replace("NOT_DOWNSAMPLED", "")
    with bossdb_over(published.folder / "another store") as remote:
        channel = remote.get_channel("rock", "lab", "fish")
        assert channel.sources == ["image"]
        assert channel.raw["public"] is True
    published.config["bossdb"]["public"] = False
    run = published.run()
    assert "lab/fish/rock is public, and `bossdb.public: false` does not take that" in run.output
    assert receipt_of(published, "rock")["public"] is True


def test_label_images_and_uint32_are_published_as_uint64(published):
    rock = published.config["volumes"]["fish"]["annotations"][1]
    rock["dtype"] = "uint32"
    published.run()
    findings = read_json(published.result("volumes/fish/rock/findings.json"))
    assert "MASK_UINT32" in {finding["code"] for finding in findings}
    assert receipt_of(published, "rock")["dtype"] == "uint64"


def test_image_of_few_slabs_is_given_more_cores_than_masks(project):
    output = project.run("check", "--dry-run", "--cores", "16").output
    jobs = re.findall(r"^rule prepare_slab:\n((?: .*\n)*)", output, re.MULTILINE)
    threads = {}
    for job in jobs:
        channel = re.search(r"channel=(\w+), slab=(\d)", job).groups()
        given = re.search(r"threads: (\d+)", job)
        threads[channel] = int(given[1]) if given else 1
    masks = {(name, slab): 1 for name in MASKS for slab in "01"}
    assert threads == {("image", "0"): 4, ("image", "1"): 4, **masks}
