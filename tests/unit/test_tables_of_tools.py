"""Tables as other tools write them: each value where it belongs, each fault named, no more."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from brainpublish.regions.collect import resolve_bucket
from brainpublish.regions.features import map_bucket


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Return {(feature, acronym, side): value}, codes of findings but notes, and their text."""
    monkeypatch.chdir(tmp_path)

    def resolve(text, columns=("value",), **section):
        if text is not None:
            Path("t.csv").write_text(text, encoding="utf-8")
        features = {column.replace(" ", "_"): {"column": column} for column in columns}
        table = {"path": "t.csv", "regions": "acronym", "features": features} | section
        bucket = {"name": "b", "tables": [table], "tree": None}
        frame, found = resolve_bucket(bucket)
        found += map_bucket(bucket, frame)[1]
        names = zip(frame["feature"], frame["acronym"], frame["hemisphere"], strict=True)
        values = dict(zip(names, frame["value"].tolist(), strict=True))
        codes = [finding.code for finding in found if finding.severity != "note"]
        return values, codes, " / ".join(finding.message for finding in found)

    return resolve


NUTIL = """Region ID;Region Name;Region area;Area unit;Object count;Load
0;Clear Label;6587;pixels;0;0
320;Primary motor area, Layer 1;1220;pixels;12;0{mark}163934426
943;Primary motor area, Layer 2/3;3220;pixels;33;0{mark}155279503
"""


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("regions", ["Region ID", "Region Name"])
def test_a_report_of_nutil(read, mark, regions):
    values, codes, _ = read(
        NUTIL.format(mark=mark),
        columns=["Object count", "Load"],
        regions=regions,
        hemisphere="both",
        decimal=mark,
    )
    assert codes == ["REGION_OUTSIDE"]
    assert len(values) == 8
    assert values["Load", "MOp2/3", "right"] == 0.155279503
    assert values["Object_count", "MOp1", "left"] == 12


def test_a_summary_of_cellfinder_with_names_with_commas(read):
    text = """structure_name,left_cell_count,right_cell_count,total_cells
"Primary motor area, Layer 1",12,5,17
"Anterior cingulate area, dorsal part, layer 2/3",4,5,9
Field CA1,1,2,3
"""
    sides = {"left": "left_cell_count", "right": "right_cell_count"}
    values, codes, _ = read(text, regions="structure_name", features={"n": {"values": sides}})
    assert codes == []
    assert values == {
        ("n", "MOp1", "left"): 12,
        ("n", "ACAd2/3", "left"): 4,
        ("n", "CA1", "left"): 1,
        ("n", "MOp1", "right"): 5,
        ("n", "ACAd2/3", "right"): 5,
        ("n", "CA1", "right"): 2,
    }


def test_ids_padded_with_zeros_and_ids_rounded_to_32_bits(read):
    values, codes, _ = read(
        "id,value\n000000320,3\n0000000382,1\n", regions="id", hemisphere="both"
    )
    assert codes == []
    assert values["value", "MOp1", "left"] == 3
    assert values["value", "CA1", "right"] == 1
    rounded = "id,value\n312782560,3\n614454272,4\n182305712,5\n320,1\n"
    values, codes, said = read(rounded, regions="id", hemisphere="both")
    assert codes == [*["REGION_UNKNOWN"] * 3, "FEATURE_CONSTANT"], "but of this atlas"
    assert "614454277 (Su3) is 5 away: was the column stored as float32?" in said


def test_a_long_table_whose_labels_differ_by_case(read):
    text = "acronym,side,type,value\nMOp,l,PV,1.5\nMOp,R,PV,2\nCA1,Left,SST,3\nCA1,r,sst,9\n"
    values, codes, said = read(
        text, columns=["PV", "SST"], hemisphere="side", feature="type", value="value"
    )
    assert codes == ["LONG_ROWS_UNUSED"]
    assert "'sst' differ from a feature by case alone" in said
    assert len(values) == 3


ZEBRAFISH = ("prosencephalon", "telencephalon", "pallium", "subpallium", "anterior commissure",
             "olfactory bulb", "diencephalon", "pretectum")  # fmt: skip


def test_a_zebrafish_table_does_not_pass_unseen(read):
    rows = "".join(f"{number},{name},7\n" for number, name in enumerate(ZEBRAFISH, start=1))
    _, codes, said = read(f"id,name,value\n{rows}", regions="id", hemisphere="both")
    assert {"REGION_OTHER_ATLAS", "REGION_DISAGREES"} <= set(codes)
    assert "numbers from 1 to 8" in said
    _, codes, said = read(f"id,name,value\n{rows}", regions="name", hemisphere="both")
    assert codes.count("REGION_UNKNOWN") == 8
    assert "0 of 8 different entries" in said
    known = "".join(f"{number},{number}\n" for number in (1, 2, 3, 4, 6, 7, 8, 9))
    _, codes, _ = read(f"id,value\n{known}", regions="id", hemisphere="both")
    assert "REGION_OTHER_ATLAS" in codes, "though each id is one of this atlas"


def test_neighbouring_ids_of_this_atlas_are_no_count(read):
    layers = [312782546 + 4 * step for step in range(14)]
    rows = "".join(f"{each},{each % 7}\n" for each in layers)
    assert "REGION_OTHER_ATLAS" not in read(f"id,value\n{rows}", regions="id", hemisphere="both")[1]


@pytest.mark.parametrize(
    "text", ["MOp-L", "MOp_left", "left MOp", "R MOp", "Primary motor area (R)"]
)
def test_a_side_in_the_name_of_a_region(read, text):
    _, codes, said = read(f"acronym,value\n{text},1\n", hemisphere="left")
    assert codes[0] == "REGION_UNKNOWN"
    assert "MOp with a side" in said


@pytest.mark.parametrize("above", ["Experiment 3,,\n", "# by a tool\n", "\n\n", "sep=,\n"])
def test_rows_above_the_header_are_told_and_nothing_else(read, above):
    values, codes, said = read(f"{above}acronym,value,sd\nMOp,1,2\nCA1,2,3\n", hemisphere="left")
    assert (values, codes) == ({}, ["TABLE_COLUMN"] * 2)
    assert f"row {above.count(chr(10)) + 1} holds the names of columns" in said


def test_cells_of_a_spreadsheet_that_are_no_numbers(read):
    book = openpyxl.Workbook()
    rows = [("MOp", 1.125), ("CA1", "#DIV/0!"), ("CA3", "=1+1"), ("DG", None), ("TH", "1,5")]
    for row in [("acronym", "value"), *rows]:
        book.active.append(row)
    book.active["B7"] = pd.Timestamp("2024-05-01")
    book.active["A7"] = "SUB"
    book.save("t.xlsx")
    values, codes, said = read(None, path="t.xlsx", hemisphere="left", decimal=",")
    assert values == {("value", "MOp", "left"): 1.125, ("value", "TH", "left"): 1.5}
    assert codes == ["VALUE_NOT_NUMBER"] * 3
    for hint in ("an error of the spreadsheet", "'=1+1' is not a number: a formula", ": a date"):
        assert hint in said


def test_a_sheet_whose_size_the_file_tells_wrong(read):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (("acronym", "value"), ("MOp", 1), (), ("CA1", 2)):
        sheet.append(row)
    book.save("t.xlsx")
    values, codes, said = read(None, path="t.xlsx", hemisphere="left")
    assert (list(values.values()), codes) == ([1, 2], [])
    assert "the first is row 3" in said


def test_regions_in_the_index_of_a_parquet_file(read):
    index = pd.Index(["MOp", "CA1"], name="acronym")
    pd.DataFrame({"value": [1.0, 2.0]}, index=index).to_parquet("t.parquet")
    values, codes, _ = read(None, path="t.parquet", hemisphere="left")
    assert (list(values.values()), codes) == ([1.0, 2.0], [])


@pytest.mark.parametrize(
    ("cell", "decimal", "said"),
    [
        ("1.234", ",", "a thousands mark"),
        ("1.234.567", ",", "not a number"),
        ('"1,234"', ".", "thousands mark"),
        ("1\u202f234", ".", "not a number"),
        ("\u22121.5", ".", "minus sign as a hyphen"),
        ("1e-400", ".", "too small to be told from 0"),
    ],
)
def test_numbers_that_would_be_read_wrong(read, cell, decimal, said):
    values, codes, text = read(f"acronym,value\nMOp,{cell}\n", hemisphere="left", decimal=decimal)
    assert values == {}
    assert codes[0].startswith("VALUE_NOT_")
    assert said in text


def test_a_total_is_told_however_it_ends(read):
    _, codes, said = read("acronym,value\nMOp,1\nGrand Total:,1\n", hemisphere="left")
    assert codes == ["REGION_UNKNOWN"]
    assert "looks like a total" in said
