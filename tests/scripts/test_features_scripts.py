"""The scripts of the feature rules, each run once with a stand-in for Snakemake."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from brainpublish.files import read_json

SCRIPTS = Path(__file__).parents[2] / "scripts"
BUCKET = {
    "name": "getting-started",
    "short_desc": "Getting started",
    "tables": [
        {
            "path": "features.csv",
            "regions": "acronym",
            "hemisphere": "left",
            "features": {"rate": {"column": "rate", "unit": "Hz"}},
        }
    ],
    "tree": {"rate (Hz)": "rate"},
}


def run(script, inputs, outputs, **params):
    job = SimpleNamespace(
        input=SimpleNamespace(**inputs),
        output=SimpleNamespace(**outputs),
        params=SimpleNamespace(**params),
        log=["logs/job.log"],
    )
    runpy.run_path(str(SCRIPTS / script), init_globals={"snakemake": job})


def prepare(bucket=BUCKET):
    run(
        "resolve_regions.py",
        {"tables": ["features.csv"]},
        {"regions": "regions.tsv", "findings": "resolved.json"},
        bucket=bucket,
    )
    run(
        "map_features.py",
        {"regions": "regions.tsv", "resolved": "resolved.json", "spatial": []},
        {
            "payloads": "payloads.json",
            "coverage": "coverage.tsv",
            "findings": "findings.json",
        },
        bucket=bucket,
    )


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("features.csv").write_text("acronym,rate\nMOp1,1.2\nMOs5,3.4\nAAA,0\nACAd2/3,0.1\n")
    return tmp_path


NOWHERE = {"kind": "remote", "api": "http://127.0.0.1:9/api/", "website": "https://w/"}


def test_from_a_table_to_a_receipt(folder):
    prepare()
    assert [finding["code"] for finding in read_json("findings.json")] == ["VALUE_ZERO"]
    payload = read_json("payloads.json")["rate"]["payload"]
    assert payload["feature_data"]["mappings"]["allen"]["data"]["1347"] == {"mean": 1.2}
    header, row = Path("coverage.tsv").read_text().splitlines()
    shown = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert (shown["feature"], shown["given"], shown["zero"]) == ("rate", "4", "AAA")
    assert (shown["drawn_allen"], shown["drawn_beryl"], shown["drawn_cosmos"]) == ("7", "4", "2")
    run(
        "publish_bucket.py",
        {"payloads": "payloads.json"},
        {"receipt": "receipt.json"},
        settings={"bucket": BUCKET, "destination": {"kind": "local", "store": "store"}},
    )
    receipt = read_json("receipt.json")
    assert receipt["features"]["rate"]["outcome"] == "created"
    assert str(folder) not in Path("receipt.json").read_text()


def test_bad_data_is_recorded_and_stops_neither_step():
    Path("features.csv").write_text("acronym,rate\nMOp9,1\nMOs5,x\n")
    prepare()
    codes = [finding["code"] for finding in read_json("findings.json")]
    assert codes == ["REGION_UNKNOWN", "VALUE_NOT_NUMBER"]
    assert read_json("payloads.json") == {}


def test_a_missing_table_is_recorded():
    Path("features.csv").unlink()
    prepare()
    assert [finding["code"] for finding in read_json("findings.json")] == ["TABLE_MISSING"]


def test_a_refusal_is_shown_on_the_console_and_leaves_no_receipt(capsys, monkeypatch, tmp_path):
    prepare()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ATLAS_GLOBAL_KEY", raising=False)
    monkeypatch.delenv("ATLAS_BUCKET_TOKEN", raising=False)
    monkeypatch.setattr("brainpublish.atlas.client.AtlasClient.__init__.__defaults__", (0.001,))
    with pytest.raises(SystemExit):
        run(
            "publish_bucket.py",
            {"payloads": "payloads.json"},
            {"receipt": "receipt.json"},
            settings={"bucket": BUCKET, "destination": NOWHERE},
        )
    said = capsys.readouterr().err
    assert "127.0.0.1:9" in said
    assert "Traceback" not in said
    assert not Path("receipt.json").exists()
