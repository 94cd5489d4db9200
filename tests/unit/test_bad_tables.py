"""Tables as they come from people and other tools: what is said, where, and what is done."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainpublish.config import ConfigError, load_config
from brainpublish.findings import errors_in
from brainpublish.regions.collect import resolve_bucket
from brainpublish.regions.features import map_bucket
from brainpublish.regions.universe import universe

SCHEMA = Path(__file__).parents[2] / "config" / "schemas" / "config.schema.json"
IDS = {region.acronym: region.atlas_id for region in universe().regions}


class Outcome:
    """All that came of a bucket: values per region and side, payloads, findings."""

    def __init__(self, bucket):
        self.frame, found = resolve_bucket(bucket)
        self.features, said = map_bucket(bucket, self.frame)
        self.findings = [*found, *said]

    def find(self, code):
        """Return the only finding with a code."""
        (finding,) = [finding for finding in self.findings if finding.code == code]
        return finding

    @property
    def errors(self):
        return [(finding.code, finding.where) for finding in errors_in(self.findings)]

    @property
    def codes(self):
        return {finding.code for finding in self.findings}

    @property
    def values(self):
        return dict(zip(self.frame["acronym"], self.frame["value"], strict=True))


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read one table, given as text or bytes; keyword arguments are keys of its section."""
    monkeypatch.chdir(tmp_path)

    def resolve(data, *, tree=None, features=None, **section):
        Path("t.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
        table = {"path": "t.csv", "regions": "region", "hemisphere": "left"} | section
        table["features"] = features or {"rate": {"column": "rate"}}
        raw = {"buckets": {"b": {"tables": [table], "tree": tree}}}
        bucket = load_config(raw, SCHEMA)["buckets"]["b"]
        return Outcome({"name": "b", **bucket})

    return resolve


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "  \u200b"])
def test_45_blanks_at_the_ends(read, blank):
    got = read(f"region,rate\nCA1,2\nMOp1{blank},1\n")
    assert got.values == {"CA1": 2, "MOp1": 1}
    found = got.find("REGION_TRIMMED")
    assert (found.severity, found.where) == ("note", "t.csv row 3")
    assert "'MOp1'" in found.message


@pytest.mark.parametrize("text", ["CUL4 5", '"CUL4, 5"', '"CUL4,5"'])
def test_46_a_blank_inside_a_true_name(read, text):
    got = read(f"region,rate\n{text},1\nCA1,2\n")
    assert got.values == {"CUL4 5": 1, "CA1": 2}
    assert got.errors == []


def test_47_case_is_a_question_and_never_for_names_that_differ_by_case_alone(read):
    text = "region,rate\nmop1,1\ncM,2\niPf,3\nCA1,4\n"
    got = read(text)
    assert got.errors == [("REGION_UNKNOWN", f"t.csv row {row}") for row in (2, 3, 4)]
    messages = [finding.message for finding in errors_in(got.findings)]
    for message, meant in zip(messages, ("MOp1", "CM or cm", "IPF or ipf"), strict=True):
        assert f"in another case it is {meant}" in message
    folded = read(text, ignore_case=True)
    assert folded.errors == [("REGION_UNKNOWN", f"t.csv row {row}") for row in (3, 4)]
    assert folded.values == {"MOp1": 1, "CA1": 4}
    assert folded.find("REGION_ANY_CASE").where == "t.csv row 2"


def test_48_unknown_acronyms_are_all_told_and_a_table_of_synonyms_helps(read):
    text = "region,rate\nDIRVs,1\nS1DZ,2\nCA1,3\nCA3,4\nCA2,5\n"
    got = read(text)
    assert got.errors == [("REGION_UNKNOWN", "t.csv row 2"), ("REGION_UNKNOWN", "t.csv row 3")]
    assert "nearest: " in errors_in(got.findings)[0].message
    assert "synonyms" in errors_in(got.findings)[0].fix
    Path("old.csv").write_text("old,meant\nDIRVs,VISC\nS1DZ,Primary somatosensory area\n")
    helped = read(text, synonyms="old.csv")
    assert helped.errors == []
    assert (helped.values["VISC"], helped.values["SSp"]) == (1, 2)
    Path("old.csv").write_text("old,meant\nDIRVs,nowhere\nS1DZ,SSp\nS1DZ,MOp\n")
    wrong = read(text, synonyms="old.csv")
    assert ("REGION_UNKNOWN", "old.csv row 2") in wrong.errors
    assert ("SYNONYM_TWICE", "old.csv row 4") in wrong.errors


def test_48_a_table_of_another_atlas_is_told_with_its_rate(read):
    names = ["tel", "tec", "hab", "pal", "TH", "MB"]
    got = read("region,rate\n" + "".join(f"{name},{i}\n" for i, name in enumerate(names)))
    found = got.find("REGION_OTHER_ATLAS")
    assert found.severity == "warning"
    assert "2 of 6" in found.message


def test_48_acronyms_that_mean_something_else_in_the_atlas(read):
    text = (
        "region,structure name,rate\nTH,thalamus proper,1\nMB,mesencephalon,2\n"
        "CA1,cerebellar area one,3\nAN,abducens nucleus,4\nPAL,pallium,5\n"
    )
    found = read(text).find("REGION_DISAGREES")
    assert found.severity == "warning"
    assert "agrees in 0 of 5 rows" in found.message
    assert "row 4: CA1 is 'Field CA1'" in found.message
    right = "region,name,rate\nCA1,Field CA1,1\nCA3,Field CA3,2\nCA2,field ca2,3\nTH,Thalamus,4\n"
    assert "REGION_DISAGREES" not in read(right).codes
    swapped = right.replace("CA1,Field CA1", "CA1,Field CA2")
    assert read(swapped).find("REGION_DISAGREES").where == "t.csv row 2, column name"


def test_49_full_names_with_and_without_commas(read):
    text = 'region,rate\n"Primary motor area, Layer 1",1\nPrimary motor area Layer 5,2\nCA1,3\n'
    got = read(text)
    assert got.values == {"MOp1": 1, "MOp5": 2, "CA1": 3}
    assert got.find("REGION_BY_NAME").message == "2 of 3 regions by full name"


@pytest.mark.parametrize("text", ["3-Feb", "02-Mar", "2023-02-03", "2023-03-02 00:00:00"])
def test_50_a_date_in_the_place_of_a_layer(read, text):
    got = read(f"region,rate\nCA1,1\n{text},2\n")
    assert got.errors == [("REGION_IS_DATE", "t.csv row 3")]
    assert "2/3" in errors_in(got.findings)[0].message


def test_51_duplicates(read):
    text = "region,rate\nMOp1,5\nCA1,1\nCA1,3\n"
    got = read(text)
    assert got.errors == [("REGION_DUPLICATE", "t.csv")]
    found = errors_in(got.findings)[0]
    assert "CA1 (left) in rows 3, 4; rate: 1, 3" in found.message
    assert "aggregate" in found.fix
    assert read(text, aggregate="mean").values == {"MOp1": 5, "CA1": 2}


def test_52_one_region_by_acronym_and_by_id(read):
    got = read("region,rate\nCA1,1\n382,3\nMOp1,2\n", hemisphere="right")
    assert got.find("REGION_MIXED").message == "1 rows hold an atlas id, 2 an acronym or a name"
    assert got.errors == [("REGION_DUPLICATE", "t.csv")]


@pytest.mark.parametrize(
    ("text", "acronym"),
    [
        ("382.0", "CA1"),
        ("382.", "CA1"),
        ('"382"', "CA1"),
        ("000000382", "CA1"),
        ('"312,782,574"', "VISli"),
        ("3.12782574E+08", "VISli"),
        ('"3,12782574E8"', "VISli"),
        ('"382,0"', "CA1"),
    ],
)
def test_53_forms_of_ids(read, text, acronym):
    got = read(f"region,rate\n{text},1\n", hemisphere="right")
    assert got.errors == []
    assert got.values == {acronym: 1}
    assert ("REGION_ID_FORM" in got.codes) is (text != '"382"')


def test_53_a_power_of_ten_that_may_have_lost_digits_stops(read):
    got = read("region,rate\n3.13E+08,1\n3.82E2,2\n", hemisphere="right")
    assert got.errors == [("REGION_UNKNOWN", "t.csv row 2")]
    assert "lost digits" in errors_in(got.findings)[0].message


def test_54_ids_that_went_through_float32(read):
    got = read("region,rate\n382,1\n312782560,2\n", hemisphere="right")
    assert got.errors == [("REGION_UNKNOWN", "t.csv row 3")]
    message = errors_in(got.findings)[0].message
    assert "312782574 (VISli) is 14 away" in message
    assert "float32" in message


def test_54_an_id_that_is_valid_but_may_be_another_rounded(read):
    rounded = int(np.float32(IDS["LGd-co"]))
    assert rounded == IDS["LGd-sh"]
    got = read(f"region,rate\n382,1\n{rounded},2\n", hemisphere="right")
    found = got.find("REGION_ID_ROUNDED")
    assert (found.severity, found.where) == ("warning", "t.csv row 3")
    assert str(IDS["LGd-co"]) in found.message
    exact = read(f"region,rate\n{IDS['VISli']},1\n{rounded},2\n", hemisphere="right")
    assert "REGION_ID_ROUNDED" not in exact.codes, "another id shows that none was rounded"


def test_55_a_gap_among_ids(read):
    got = read("region,rate\n382,1\nNaN,2\n,3\n,\n", hemisphere="right")
    assert got.errors == [("REGION_EMPTY", "t.csv row 3"), ("REGION_EMPTY", "t.csv row 4")]


def test_56_signs_that_contradict_the_side(read):
    got = read("region,rate\n382,1\n320,2\n")
    assert got.errors == [("REGION_SIDE", "t.csv row 2")]
    assert "left" in errors_in(got.findings)[0].message
    got = read("region,rate\n-382,1\n320,2\n", hemisphere="right")
    assert got.errors == [("REGION_SIDE", "t.csv row 2")]


def test_57_words_for_sides(read):
    text = "region,rate,side\nCA1,1,L\nCA2,2,lh\nCA3,3,Left\nMOp1,4,RIGHT\nMOp5,5,rh\nTH,6,Both\n"
    got = read(text, hemisphere="side")
    assert got.errors == []
    sides = got.frame.groupby("acronym")["hemisphere"].agg(list).to_dict()
    assert sides["CA1"] == sides["CA2"] == sides["CA3"] == ["left"]
    assert sides["MOp1"] == sides["MOp5"] == ["right"]
    assert sorted(sides["TH"]) == ["left", "right"]
    got = read("region,rate,side\nCA1,1,\nCA2,2,top\n", hemisphere="side")
    assert got.errors == [
        ("HEMISPHERE_UNKNOWN", "t.csv row 2, column side"),
        ("HEMISPHERE_UNKNOWN", "t.csv row 3, column side"),
    ]


def test_58_rows_outside_the_brain_are_left_out(read):
    got = read("region,rate\nvoid,1\nroot,2\nNaN,3\nunassigned,4\nClear Label,5\nCA1,6\n")
    assert got.errors == []
    assert got.values == {"CA1": 6}
    outside = [finding.where for finding in got.findings if finding.code == "REGION_OUTSIDE"]
    assert outside == [f"t.csv row {row}" for row in (2, 3, 4, 5, 6)]


def test_59_parent_and_children(read):
    text = "region,rate\nMOp,10\nMOp1,0\nMOp5,0\n"
    got = read(text)
    found = got.find("REGION_OVERLAP")
    assert found.severity == "warning"
    assert "MOp (left) with MOp1, MOp5" in found.message
    for view in ("in Allen", "in Beryl MOp is the mean of MOp, MOp1, MOp5", "in Cosmos"):
        assert view in found.message
    assert "overlap: expand" in found.fix
    assert read(text, overlap="refuse").errors == [("REGION_OVERLAP", "bucket b, rate")]
    expanded = read(text, overlap="expand")
    assert "REGION_EXPANDED" in expanded.codes
    allen = expanded.features["rate"]["payload"]["feature_data"]["mappings"]["allen"]["data"]
    row = next(r.index for r in universe().regions if r.acronym == "MOp6a") + 1327
    assert allen[str(row)]["mean"] == 10


def test_60_regions_that_are_node_and_leaf(read):
    text = "region,rate\nTH,1\nCA1,2\n"
    found = read(text).find("REGION_NODE_OR_LEAF")
    assert "TH" in found.message
    assert "nodes: own" in found.fix
    assert "REGION_NODE_OR_LEAF" not in read(text, nodes="own").codes


def test_61_missing_values_are_left_out_and_listed(read):
    got = read("region,rate\nCA1,NaN\nCA2,\nCA3,1\nMOp1,n/a\n")
    assert got.errors == []
    assert got.values == {"CA3": 1}
    assert got.find("VALUE_MISSING").message == "3 rows without a value are left out: 2, 3, 5"


def test_62_infinities_and_codes_for_missing(read):
    got = read("region,rate\nCA1,inf\nCA2,-Infinity\nCA3,1e308\nMOp1,1\n")
    assert got.errors == [
        ("VALUE_NOT_FINITE", f"t.csv row {row}, column rate") for row in (2, 3, 4)
    ]
    text = "region,rate\nCA1,-999\nCA2,-999\nCA3,1\nMOp1,2\n"
    got = read(text)
    assert got.errors == [("VALUE_CODE", "bucket b, rate")]
    assert "-999 occurs 2 times" in errors_in(got.findings)[0].message
    assert read(text, missing=["-999"]).errors == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("<0.01", "a limit is no value"),
        ('"1,5"', "a decimal comma?"),
        ("12%", "percent"),
        ("n.s.", "not a number"),
        ("#DIV/0!", "not a number"),
        ("1 000", "not a number"),
    ],
)
def test_63_texts_in_numbers(read, cell, said):
    got = read(f"region,rate\nCA1,1\nCA2,{cell}\n")
    assert got.errors == [("VALUE_NOT_NUMBER", "t.csv row 3, column rate")]
    assert said in errors_in(got.findings)[0].message


def test_64_semicolons_and_decimal_commas(read):
    got = read("region;rate;n\nCA1;1,5;3\nCA2;2,25;4\n", decimal=",")
    assert got.errors == []
    assert got.values == {"CA1": 1.5, "CA2": 2.25}
    assert "separator semicolon" in got.find("TABLE_READ_AS").message
    assert "3 columns" in got.find("TABLE_READ_AS").message
    shifted = read("region,rate,n\nCA1,1,5,3\nCA2,2,25,4\n")
    assert shifted.errors == [("TABLE_RAGGED", "t.csv row 2"), ("TABLE_RAGGED", "t.csv row 3")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_65_encodings_and_line_ends_in_quotes(read, encoding):
    text = 'region,note,rate (\u00b5V)\r\nCA1,"two\r\nlines",1\r\nCA2,\u00fc,2\r\n'
    got = read(text.encode(encoding), features={"rate": {"column": "rate (\u00b5V)"}})
    assert got.errors == []
    assert got.values == {"CA1": 1, "CA2": 2}


@pytest.mark.parametrize(
    ("text", "errors", "said"),
    [
        ("CA1,1\nCA2,2\n", [("TABLE_COLUMN", "t.csv")] * 2, "has the table no header?"),
        ("region,rate\nCA1,1\nTotal,3\n", [("REGION_UNKNOWN", "t.csv row 3")], "a total"),
        ("region,rate\nCA1,1\n,3\n", [("REGION_EMPTY", "t.csv row 3")], "a total"),
        (
            "region,rate\nCA1,1\nregion,rate\nCA2,2\n",
            [("REGION_UNKNOWN", "t.csv row 3"), ("VALUE_NOT_NUMBER", "t.csv row 3, column rate")],
            "header again",
        ),
        (
            "region,rate\n,Hz\nCA1,1\n",
            [("REGION_EMPTY", "t.csv row 2")],
            "total",
        ),
    ],
)
def test_66_rows_that_are_no_data(read, text, errors, said):
    got = read(text)
    assert [error for error in got.errors if error in errors] == errors
    assert said in errors_in(got.findings)[0].message


def test_66_blank_rows_are_noted(read):
    got = read("region,rate\nCA1,1\n,\n\nCA2,2\n")
    assert got.errors == []
    assert "the first is row 3" in got.find("TABLE_BLANK_ROWS").message


def test_67_a_row_that_ends_early(read):
    features = {name: {"column": name} for name in ("rate", "phase")}
    got = read("region,rate,phase\nCA1,1,2\nCA2,3\n", features=features)
    assert got.errors == [("TABLE_SHORT_ROW", "t.csv row 3")]
    assert "phase" in errors_in(got.findings)[0].message


def test_68_a_constant_feature(read):
    got = read("region,rate\nCA1,2\nCA2,2\n")
    assert got.find("FEATURE_CONSTANT").severity == "warning"
    shown = got.features["rate"]["payload"]["feature_data"]["histogram"]
    assert shown["vmin"] < 2 < shown["vmax"]


@pytest.mark.parametrize(("values", "odd"), [((1e-6, 2e-5), True), ((0.5, 1e-6), False)])
def test_69_very_small_numbers(read, values, odd):
    got = read(f"region,rate\nCA1,{values[0]}\nCA2,{values[1]}\n")
    assert ("VALUE_RANGE" in got.codes) is odd
    if odd:
        assert "`unit` is empty" in got.find("VALUE_RANGE").message
        assert got.find("VALUE_RANGE").severity == "warning"


@pytest.mark.parametrize("name", ["a/b", "a b", "..", "_a", "a" * 101, "", "m\u00fc"])
def test_70_names_of_features(read, name):
    with pytest.raises(ConfigError, match="feature name"):
        read("region,rate\nCA1,1\n", features={name: {"column": "rate"}})


def test_70_names_that_differ_by_case_alone(read):
    features = {name: {"column": "rate"} for name in ("Rate", "rate")}
    with pytest.raises(ConfigError, match="upper and lower case"):
        read("region,rate\nCA1,1\n", features=features)


def test_71_leaves_and_features(read):
    features = {name: {"column": "rate"} for name in ("a", "b")}
    got = read(
        "region,rate\nCA1,1\nCA2,2\n",
        features=features,
        tree={"A": "a", "again": "a", "gone": "x"},
    )
    assert got.errors == [("TREE_LEAF_UNKNOWN", "bucket b, tree")]
    assert got.find("TREE_LEAF_TWICE").severity == "warning"
    assert got.find("FEATURE_NOT_IN_TREE").message == "b"


def test_80_features_of_one_table_with_different_gaps(read):
    features = {name: {"column": name} for name in ("a", "b")}
    got = read("region,a,b\nCA1,1,\nCA2,,2\nCA3,3,4\naot,5,\n", features=features)
    assert got.errors == []
    assert got.features["a"]["regions"] == 3
    assert got.features["b"]["regions"] == 2
    a, b = got.features["a"]["coverage"], got.features["b"]["coverage"]
    assert (a["given"], a["nowhere"]) == (3, ["aot"])
    assert (b["given"], b["nowhere"]) == (2, [])


def test_a_long_table_of_densities_and_a_list_of_edges(read):
    edges = "source,target,weight\nMOp,CA1,1\nMOp,CA3,2\nVISp,CA1,3\n"
    got = read(
        edges,
        regions="target",
        feature="source",
        value="weight",
        features={"from_MOp": {"column": "MOp"}, "from_VISp": {"column": "VISp"}},
    )
    assert got.errors == []
    rows = got.frame[["feature", "acronym", "value"]].to_numpy().tolist()
    assert rows == [["from_MOp", "CA1", 1], ["from_MOp", "CA3", 2], ["from_VISp", "CA1", 3]]


def test_parquet_and_sheets_give_the_same_as_text(read, tmp_path):
    frame = pd.DataFrame({"region": ["CA1", "CA3"], "rate": [1.25, np.nan]})
    frame.to_parquet("t.parquet")
    with pd.ExcelWriter("t.xlsx") as book:
        pd.DataFrame({"x": [1]}).to_excel(book, sheet_name="notes", index=False)
        frame.to_excel(book, sheet_name="data", index=False)
    for section in ({"path": "t.parquet"}, {"path": "t.xlsx", "sheet": "data"}):
        got = read("", **section)
        assert got.errors == []
        assert got.values == {"CA1": 1.25}
        assert "2 columns" not in str(got.findings)
        assert got.find("VALUE_MISSING").message.endswith("left out: 3")
    wrong = read("", path="t.xlsx", sheet="dta")
    assert wrong.errors == [("TABLE_UNREADABLE", "t.xlsx")]
    assert "data" in errors_in(wrong.findings)[0].message
