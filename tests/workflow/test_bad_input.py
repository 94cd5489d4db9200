"""Bad input stops the run before anything is sent, with all of it said at once."""

import pytest

from brainpublish.findings import read_findings
from stacks import MASKS, STACK, write_jp2_stack, write_mask_stack


def refused(project, *texts: str) -> str:
    """Run, and expect a refusal in plain words that sends nothing."""
    run = project.run(check=False)
    assert run.status != 0
    assert "Nothing was sent." in run.output
    assert "Traceback" not in run.output
    for text in texts:
        assert text in run.output
    assert not project.result("receipts").exists()
    assert not list((project.folder / "local-store").glob("bossdb/volumes/*"))
    return run.output


def test_everything_wrong_is_said_in_one_run(project):
    raw = project.folder / "raw data"
    whole = (raw / "image" / "z3.jp2").read_bytes()
    (raw / "image" / "z3.jp2").write_bytes(whole[: len(whole) // 2])
    write_jp2_stack(raw / "odd", STACK[:1, :34])
    (raw / "odd" / "z1.jp2").replace(raw / "image" / "z17.jp2")
    (raw / "bone" / "m18.jpg").unlink()
    table = project.folder / "features.csv"
    table.write_text(table.read_text().replace("MOs5", "MOs55"))
    refused(
        project,
        "raw data/image/z3.jp2: ends early",
        "raw data/image/z17.jp2: is 56 x 34, the others 56 x 40 (width x height)",
        "17 mask files, 18 image slices",
        "MOs55",
    )
    found = read_findings(project.result("volumes/fish/image/findings.json"))
    places = {(finding.code, finding.where) for finding in found if finding.severity == "error"}
    assert places == {
        ("SLICE_UNREADABLE", "raw data/image/z3.jp2"),
        ("SLICE_SIZE", "raw data/image/z17.jp2"),
    }
    bucket = read_findings(project.result("features/getting-started/findings.json"))
    (unknown,) = [finding for finding in bucket if finding.severity == "error"]
    assert unknown.code == "REGION_UNKNOWN"
    assert "features.csv" in unknown.where
    assert "3" in unknown.where


def test_wrong_folder_and_no_match_name_what_there_is(project):
    volume = project.config["volumes"]["fish"]
    volume["image"]["path"] = "raw data/imgae"
    volume["annotations"][0]["pattern"] = "*.png"
    refused(project, "raw data/imgae: there is no such folder", "no file matches '*.png'", ".jpg")


def test_faults_can_be_repaired_and_the_same_command_goes_on(project):
    write_mask_stack(project.folder / "raw data" / "bone", MASKS["bone"][:, :35])
    refused(project, "masks are 56 x 35, image slices 56 x 40")
    write_mask_stack(project.folder / "raw data" / "bone", MASKS["bone"])
    project.run()
    assert project.result("receipts/bossdb/fish/bone.json").is_file()


def test_check_needs_no_network_and_sends_nothing(project):
    project.config |= {"destination": "remote", "bossdb": {"host": "127.0.0.1:9"}}
    run = project.run("check")
    assert set(run.jobs) >= {"prepare_slab", "map_features", "check_findings", "check"}
    assert project.result("checked.json").is_file()
    assert not project.result("receipts").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["volumes"]["fish"]["image"].update(dtyp="uint8"), "volumes.fish.image.dtyp"),
        (lambda c: c["volumes"]["fish"].update(voxel_unit="um"), "volumes.fish.voxel_unit"),
        (lambda c: c["volumes"]["fish"].pop("voxel_size"), "voxel_size"),
        (lambda c: c.update(bossdb={"connections": "8"}), "bossdb.connections"),
        (lambda c: c["volumes"]["fish"]["image"].update(name="lab/my fish/image"), "my fish"),
        (lambda c: c.update(token="secret-marker"), "token"),
    ],
)
def test_config_is_refused_at_once_with_the_path_of_the_key(project, change, says):
    change(project.config)
    run = project.run(check=False)
    assert run.status != 0
    assert says in run.output
    assert "secret-marker" not in run.output
    assert "Traceback" not in run.output
    assert not project.result().exists()


def test_difference_from_what_is_published_shows_both_values(published):
    fish = published.config["volumes"]["fish"]
    fish["voxel_size"] = [43.53, 43.53, 60]
    fish["image"]["dtype"] = "uint16"
    run = published.run(check=False)
    assert run.status != 0
    assert "z_voxel_size is 50.0 there, 60.0 here" in run.output
