import pytest

from brainpublish.files import write_json
from brainpublish.findings import Finding, write_findings
from brainpublish.summary import run_summary


def channel(mode, read):
    return {
        "channel": "lab/fish/image",
        "cuboids": {"total": 4},
        "verified": {"mode": mode, "cuboids": read},
        "downsample": {"status": "unknown", "refused": "400: voxels are not square"},
    }


@pytest.mark.parametrize(
    ("mode", "read", "head"),
    [
        ("full", 4, "Published and verified. The receipts:"),
        ("none", 0, "Published, not all of it verified. The receipts:"),
    ],
)
def test_summary_claims_no_more_than_the_receipts(tmp_path, monkeypatch, mode, read, head):
    monkeypatch.chdir(tmp_path)
    write_json("results/receipts/bossdb/fish/image.json", channel(mode, read))
    lines = run_summary().splitlines()
    assert lines[0] == head
    assert f"4 cuboids, {read} read back equal ({mode})" in lines[1]
    assert "NOT downsampled, the server refuses: 400: voxels are not square" in lines[1]


def test_summary_of_a_check_names_no_receipt(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_summary().startswith("Checked. Nothing was sent")


def test_warnings_that_stopped_nothing_are_shown_once_for_each_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    foreign = Finding("REGION_OTHER_ATLAS", "t.csv", "ids are numbers from 1 to 8")
    note = Finding("VALUE_ZERO", "bucket b", "1 of 2")
    write_findings("results/features/b/findings.json", [foreign, foreign, note])
    old = {"code": "OF_OLD", "severity": "warning", "where": "t.csv", "message": "", "fix": ""}
    write_json("results/features/old/findings.json", [old])
    lines = run_summary().splitlines()
    assert lines[1] == "2 warnings, all of them in findings.json below results/:"
    assert lines[2].startswith("  REGION_OTHER_ATLAS (2): a table does not look like")
    assert "ids are numbers from 1 to 8" in lines[2]
    assert len(lines) == 3
