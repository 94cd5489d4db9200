"""Buckets alone, through the whole workflow: every form of table, and what arrives of it."""

import base64
import gzip
import io

import numpy as np
import pandas as pd
import pytest

from brainpublish.files import read_json
from brainpublish.regions.picture import shown_digest
from project import Project
from readers import features_over


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A project of tables of every form, after one run."""
    folder = tmp_path_factory.mktemp("tables") / "my project"
    folder.mkdir()
    (folder / "long.csv").write_text(
        "region;what;number\nCA1;rate;1,5\nCA1;Depth (um);2\nMOp1;rate;3\n"
    )
    (folder / "sides.csv").write_text("id,l,r,sd_l\nCA1,1,2,0.5\nCA3,3,4,0.25\n")
    (folder / "weighted.csv").write_text(
        "name,v,n\nOld hippocampus,1,1\nOld hippocampus,4,3\nCA3,2,1\n"
    )
    (folder / "synonyms.csv").write_text("written,meant\nOld hippocampus,CA1\n")
    (folder / "parents.csv").write_text("acronym,outer\nTH,20\nVPM,10\n")
    sheets = {"notes": pd.DataFrame({"a": [1]}), "data": pd.DataFrame({"id": [-382], "x": [7.5]})}
    with pd.ExcelWriter(folder / "book.xlsx") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    tables = [
        {
            "path": "long.csv",
            "regions": "region",
            "hemisphere": "left",
            "feature": "what",
            "value": "number",
            "decimal": ",",
            "features": {"rate": {"unit": "Hz"}, "depth": {"column": "Depth (um)"}},
        },
        {
            "path": "sides.csv",
            "regions": "id",
            "features": {"two": {"values": {"left": "l", "right": "r"}}},
        },
        {
            "path": "weighted.csv",
            "regions": "name",
            "hemisphere": "right",
            "aggregate": "weighted",
            "weight": "n",
            "synonyms": "synonyms.csv",
            "features": {"weighted": {"column": "v"}},
        },
        {
            "path": "parents.csv",
            "regions": "acronym",
            "hemisphere": "left",
            "overlap": "expand",
            "features": {"outer": {}},
        },
        {
            "path": "parents.csv",
            "regions": "acronym",
            "hemisphere": "left",
            "nodes": "own",
            "features": {"own": {"column": "outer"}},
        },
        {"path": "book.xlsx", "sheet": "data", "regions": "id", "features": {"x": {}}},
        {
            "path": "sides.csv",
            "regions": "id",
            "hemisphere": "left",
            "features": {"spread": {"column": "l", "statistics": {"std": "sd_l"}}},
        },
    ]
    (folder / "points.csv").write_text("ml,ap,dv,v\n0.5,-1.2,-3,2\n-1,0.3,-2.5,4\n")
    half = np.zeros((264, 160, 228), dtype=np.float32)
    half[100:150, 50:80, 60:120] = 3
    np.save(folder / "half.npy", half)
    bucket = {
        "tables": tables,
        "prune": True,
        "points": {"dots": {"path": "points.csv", "value": "v", "coordinate_unit": "mm"}},
        "volume": {"cells": {"path": "half.npy", "resample": True, "unit": "1/mm3"}},
    }
    project = Project(folder, {"buckets": {"all-forms": bucket}})
    return project, project.run()


@pytest.fixture
def values(ran, tmp_path, monkeypatch):
    """Read a published feature: {acronym and side: value} of the Allen view."""
    from brainpublish.regions.coverage import place_of_row
    from brainpublish.regions.universe import universe

    def read(feature, statistic="mean"):
        store = ran[0].folder / "local-store"
        with features_over(store, "all-forms", tmp_path, monkeypatch) as uploader:
            data = uploader.get_features(feature)["feature_data"]["mappings"]["allen"]["data"]
        held = {}
        for row, numbers in data.items():
            index, side = place_of_row(int(row))
            if statistic in numbers:
                held[universe().regions[index].acronym, side] = numbers[statistic]
        return held

    return read


def test_long_tables_with_decimal_commas(values):
    assert values("rate")["CA1", "left"] == 1.5
    assert values("rate")["MOp1", "left"] == 3.0
    assert values("depth") == {("CA1", "left"): 2.0}


def test_columns_for_each_side(values):
    two = values("two")
    assert (two["CA1", "left"], two["CA1", "right"]) == (1.0, 2.0)
    assert (two["CA3", "left"], two["CA3", "right"]) == (3.0, 4.0)


def test_weights_and_synonyms(ran, values):
    assert values("weighted") == {("CA1", "right"): 3.25, ("CA3", "right"): 2.0}
    findings = read_json(ran[0].result("features/all-forms/findings.json"))
    assert "REGION_SYNONYM" in {finding["code"] for finding in findings}


def test_overlap_and_nodes(values):
    outer = values("outer")
    assert outer["VPM", "left"] == 10.0
    assert outer["VAL", "left"] == outer["TH", "left"] == 20.0
    own = values("own")
    assert (own["TH", "left"], own["VPM", "left"]) == (20.0, 10.0)
    assert ("LP", "left") not in own


def test_sheets_and_statistics(values):
    assert values("x") == {("CA1", "left"): 7.5}
    assert values("spread", "std") == {("CA1", "left"): 0.5, ("CA3", "left"): 0.25}


def test_points_and_volumes_arrive(ran, tmp_path, monkeypatch):
    store = ran[0].folder / "local-store"
    with features_over(store, "all-forms", tmp_path, monkeypatch) as uploader:
        dots, cells = uploader.get_features("dots"), uploader.get_features("cells")
    for feature, highest in ((dots, 4), (cells, 3)):
        data = feature["feature_data"]
        raw = gzip.decompress(base64.b64decode(data["volumes"]["mean"]["volume"]))
        assert np.frombuffer(raw, "<f4", 2, len(raw) - 8).tolist() == [0, highest]
        levels = np.load(io.BytesIO(raw))
        assert levels.shape == (528, 320, 456)
        assert (levels.min(), levels.max()) == (0, 255)
    assert (levels == 255).sum() == 8 * 50 * 30 * 60
    assert cells["unit"] == "1/mm3"


def test_the_pictures_show_the_digests_that_were_sent(ran):
    sent = read_json(ran[0].result("receipts/atlas/all-forms.json"))["features"]
    shown = read_json(ran[0].result("features/all-forms/pictures.json"))["pictures"]
    assert {name: facts["digest"] for name, facts in shown.items()} == {
        name: facts["digest"] for name, facts in sent.items()
    }
    for facts in shown.values():
        png = ran[0].result("features/all-forms/pictures", facts["file"]).read_bytes()
        assert shown_digest(png) == facts["digest"]


def test_the_log_shows_how_a_table_was_understood(ran):
    log = (ran[0].folder / "logs/resolve_regions/all-forms.log").read_text()
    assert "long.csv is understood as" in log
    assert "Depth (um)" in log


def test_a_changed_synonym_is_published(ran, tmp_path, monkeypatch):
    project, _ = ran
    (project.folder / "synonyms.csv").write_text("written,meant\nOld hippocampus,CA2\n")
    project.run()
    receipt = read_json(project.result("receipts/atlas/all-forms.json"))
    outcomes = {name: facts["outcome"] for name, facts in receipt["features"].items()}
    assert [name for name, outcome in outcomes.items() if outcome != "kept"] == ["weighted"]
