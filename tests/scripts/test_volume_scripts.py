"""The scripts of the volume rules, run one after the other with a stand-in for Snakemake."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from snakemake.iocontainers import InputFiles, OutputFiles

from brainpublish.config import channels_of, load_config
from brainpublish.files import read_json
from brainpublish.findings import read_findings
from brainpublish.settled import made_from
from brainpublish.slices.discover import list_slices
from brainpublish.slices.manifest import read_manifest
from readers import bossdb_over, voxels
from stacks import MASKS, ROOT, STACK, write_jp2_stack, write_mask_stack

CONFIG = {
    "volumes": {
        "fish": {
            "voxel_size": [1, 1, 2],
            "voxel_unit": "micrometers",
            "image": {
                "name": "lab/fish/image",
                "path": "image",
                "pattern": "*.jp2",
                "dtype": "uint16",
            },
            "annotations": [
                {"name": "lab/fish/bone", "path": "bone", "pattern": "*.jpg", "label": 5}
            ],
        }
    }
}
HERE = {"kind": "local", "store": "store"}
VERIFY = {"verify": "full", "sample_share": 0.1}
UPLOAD = {"volume": "fish", "depth": 16, "destination": HERE, "verify": VERIFY, "anew": None}


def run(rule, inputs, outputs, settings=None, slab=None, connections=2):
    """Run a rule's script; return the names and log it was given."""
    job = SimpleNamespace(
        input=InputFiles(fromdict=inputs),
        output=OutputFiles(fromdict=outputs),
        params=SimpleNamespace(settings=settings, receipt="receipt.json", **(settings or {})),
        wildcards=SimpleNamespace(slab=slab),
        resources=SimpleNamespace(connections=connections),
        threads=2,
        log=[f"logs/{rule}.log"],
    )
    runpy.run_path(str(ROOT / "scripts" / f"{rule}.py"), init_globals={"snakemake": job})
    assert Path(job.log[0]).exists()


@pytest.fixture
def channels(tmp_path, monkeypatch):
    """The channels of a small volume in the working directory, by name."""
    monkeypatch.chdir(tmp_path)
    write_jp2_stack(Path("image"), STACK)
    write_mask_stack(Path("bone"), MASKS["bone"])
    return channels_of(load_config(CONFIG, ROOT / "config/schemas/config.schema.json"))["fish"]


def prepare(section):
    """Run the scripts of volumes.smk for one channel; return its folder."""
    folder = section["channel"]
    listing = list_slices(section["path"], section["pattern"])
    run(
        "write_manifest",
        {"slices": listing.files},
        {
            "manifest": f"{folder}/slices.tsv",
            "plan": f"{folder}/plan.json",
            "stamps": f"{folder}/stamps.json",
            "group": f"{folder}/stack.zarr/zarr.json",
            "array": f"{folder}/stack.zarr/0/zarr.json",
        },
        {"channel": section, "listing": listing.as_settings(), "depth": 16},
    )
    for slab in (0, 1):
        run(
            "prepare_slab",
            {
                "manifest": f"{folder}/slices.tsv",
                "plan": f"{folder}/plan.json",
                "array": f"{folder}/stack.zarr/0/zarr.json",
            },
            {"report": f"{folder}/slabs/{slab}.json"},
            {"channel": section},
            slab=str(slab),
        )
    reports = [f"{folder}/slabs/{slab}.json" for slab in (0, 1)]
    image = [] if section["role"] == "image" else "image/plan.json"
    run(
        "check_channel",
        {"plan": f"{folder}/plan.json", "image": image, "reports": reports},
        {"findings": f"{folder}/findings.json"},
        {"channel": section},
    )
    return folder


def test_scripts_lead_from_slices_to_a_receipt(channels):
    folders = [prepare(section) for section in channels.values()]
    assert [row.z for row in read_manifest("image/slices.tsv")] == list(range(18))
    assert read_json("image/slabs/1.json")["plan"] == read_json("image/plan.json")["digest"]
    findings = [f"{folder}/findings.json" for folder in folders]
    assert [f.severity for f in read_findings(findings[1])] == ["note"] * 3
    run("check_findings", {"channels": findings, "buckets": []}, {"checked": "checked.json"})
    assert read_json("checked.json")["errors"] == 0
    plans = [f"{folder}/plan.json" for folder in folders]
    pair = {"channel": channels["bone"], "plan": "bone/plan.json", "image": "image/plan.json"}
    gate = {"channels": plans, "buckets": []}, {"checked": "headers.json"}
    run("check_headers", *gate, {"pairs": [pair]})
    assert read_json("headers.json")["errors"] == 0

    create = {"channels": list(channels.values()), "destination": HERE}
    run("create_resources", {"plans": plans}, {"resources": "resources.json"}, create)
    assert set(read_json("resources.json")["resources"].values()) == {"created"}

    bone = channels["bone"]
    settings = {"channel": bone, **UPLOAD}
    for slab in (0, 1):
        run(
            "upload_slab",
            {"plan": "bone/plan.json", "report": f"bone/slabs/{slab}.json"},
            {"counts": f"{slab}.json"},
            settings,
            slab=str(slab),
        )
    assert read_json("0.json")["counts"]["sent"] == 1
    assert read_json("0.json").items() >= made_from(settings).items()
    settings["after"] = {"downsample": False, "public": False}
    run(
        "publish_channel",
        {"plan": "bone/plan.json", "manifest": "bone/slices.tsv", "uploads": ["0.json", "1.json"]},
        {"receipt": "receipt.json"},
        settings,
    )
    receipt = read_json("receipt.json")
    assert receipt["channel"] == "lab/fish/bone"
    assert receipt["verified"] == {"mode": "full", "cuboids": 2, "mismatches": 0}
    with bossdb_over(Path("store")) as remote:
        assert np.array_equal(np.unique(voxels(remote, "lab/fish/bone")), [0, 5])


def test_gates_stop_with_the_paragraph_on_the_console(channels, capsys):
    Path("image/z4.jp2").write_bytes(b"<html>")
    folder = prepare(channels["image"])
    for rule, source in (("check_findings", "findings.json"), ("check_headers", "plan.json")):
        gate = {"channels": [f"{folder}/{source}"], "buckets": []}, {"checked": "out.json"}
        with pytest.raises(SystemExit) as ended:
            run(rule, *gate, {"pairs": []})
        assert ended.value.code == 1
        said = capsys.readouterr().err
        assert "1 error in the input. Nothing was sent." in said
        assert "image/z4.jp2: is no JP2, PNG, JPEG or TIFF file" in said
        assert "What to do:" in said
    assert not Path("out.json").exists()


def test_slab_with_errors_is_not_sent(channels, capsys):
    Path("image/z4.jp2").write_bytes(b"<html>")
    prepare(channels["image"])
    settings = {"channel": channels["image"], **UPLOAD}
    inputs = {"plan": "image/plan.json", "report": "image/slabs/0.json"}
    with pytest.raises(SystemExit):
        run("upload_slab", inputs, {"counts": "0.json"}, settings, slab="0")
    assert "This slab is not sent" in capsys.readouterr().err
    assert not Path("store").exists()


def test_contact_sheet_is_drawn_of_sound_stacks_alone(channels, capsys):
    layers = [
        {"name": section["name"], "folder": prepare(section), "slabs": 2}
        for section in channels.values()
    ]
    sheet = {"title": "lab/fish/bone", "layers": layers}
    run("draw_channel", {}, {"picture": "sheet.png"}, sheet)
    with Image.open("sheet.png") as picture:
        assert picture.format == "PNG"
    shard = Path("bone/stack.zarr/0/c/0/0/0")
    held = bytearray(shard.read_bytes())
    held[40] ^= 1
    shard.write_bytes(held)
    with pytest.raises(SystemExit):
        run("draw_channel", {}, {"picture": "other.png"}, sheet)
    said = capsys.readouterr().err
    assert "No contact sheet is drawn: bone/stack.zarr/0/c is damaged" in said
    assert "--forcerun prepare_slab" in said
    assert not Path("other.png").exists()
