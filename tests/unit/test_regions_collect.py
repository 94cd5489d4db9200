"""From tables to one value per feature, region and side, with every fault named by row."""

import math
import statistics
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.findings import errors_in
from brainpublish.regions.aggregate import Observation, aggregated
from brainpublish.regions.collect import COLUMNS, resolve_bucket
from brainpublish.regions.frames import read_regions, write_table

TABLES = Path(__file__).parents[2].parent / "shared" / "data" / "region-tables"
GETTING_STARTED = "acronym,rate\nMOp1,1.2\nMOs5,3.4\nAAA,0.0\nACAd2/3,0.1\n"


@pytest.fixture
def resolved(tmp_path, monkeypatch):
    """Resolve one table given as text; keyword arguments are keys of its section."""
    monkeypatch.chdir(tmp_path)

    def resolve(text, **section):
        Path("t.csv").write_text(text, encoding="utf-8")
        table = {"path": "t.csv", "regions": "acronym", "features": {"rate": {"column": "rate"}}}
        return resolve_bucket({"name": "b", "tables": [table | section]})

    return resolve


def rows(frame):
    return [tuple(row) for row in frame[["acronym", "hemisphere", "value"]].to_numpy()]


def said(findings):
    return [(finding.code, finding.where) for finding in findings]


def test_getting_started(resolved):
    frame, findings = resolved(GETTING_STARTED, hemisphere="left")
    assert findings == []
    assert list(frame.columns) == list(COLUMNS)
    assert frame["atlas_id"].tolist() == [-320, -767, -23, -211]
    assert frame["value"].tolist() == [1.2, 3.4, 0.0, 0.1]
    assert frame["rows"].tolist() == [1, 1, 1, 1]
    assert frame["source"].tolist() == ["t.csv:2", "t.csv:3", "t.csv:4", "t.csv:5"]


def test_the_written_table_is_read_back_with_all_digits(resolved, tmp_path):
    frame, _ = resolved("acronym,rate\nMOp1,0.1\nCUL4 5,123456789.123\n", hemisphere="both")
    write_table(tmp_path / "regions.tsv", frame)
    pd.testing.assert_frame_equal(read_regions(tmp_path / "regions.tsv"), frame, check_dtype=False)


def test_all_faults_are_found_in_one_pass(resolved):
    text = (
        "acronym,rate,depth\n"
        "MOpp1,1,1\n"  # 2: unknown
        "MOs5,1;5,x\n"  # 3: two bad cells
        " AAA\u00a0,1,2\n"  # 4: trimmed
        ",9,\n"  # 5: total without region
        ",,\n"  # 6: blank
        "3-Feb,1,2\n"  # 7: date
        "root,1,2\n"  # 8: outside
        "unassigned,n.s.,2\n"  # 9: outside, its cells do not matter
        "CA1,inf,\n"  # 10: not finite; no depth
    )
    features = {"rate": {"column": "rate"}, "depth": {"column": "depth"}}
    frame, findings = resolved(text, hemisphere="left", features=features)
    assert sorted(said(findings)) == sorted(
        [
            ("TABLE_BLANK_ROWS", "t.csv"),
            ("REGION_UNKNOWN", "t.csv row 2"),
            ("VALUE_NOT_NUMBER", "t.csv row 3, column rate"),
            ("VALUE_NOT_NUMBER", "t.csv row 3, column depth"),
            ("REGION_TRIMMED", "t.csv row 4"),
            ("REGION_EMPTY", "t.csv row 5"),
            ("REGION_IS_DATE", "t.csv row 7"),
            ("REGION_OUTSIDE", "t.csv row 8"),
            ("REGION_OUTSIDE", "t.csv row 9"),
            ("VALUE_NOT_FINITE", "t.csv row 10, column rate"),
            ("VALUE_MISSING", "t.csv, feature depth"),
        ]
    )
    assert len(errors_in(findings)) == 6
    assert rows(frame) == [("AAA", "left", 1.0), ("AAA", "left", 2.0)]


def test_unknown_regions_get_suggestions(resolved):
    _, findings = resolved("acronym,rate\nMOpl1,1\n", hemisphere="left")
    assert "'MOpl1'" in findings[0].message
    assert "MOp1" in findings[0].message


def test_duplicates_stop_unless_a_rule_is_named(resolved):
    text = "acronym,rate\nCA1,1\nMOp1,5\nCA1,4\n382,7\n"
    frame, findings = resolved(text, hemisphere="right")
    assert [finding.code for finding in errors_in(findings)] == ["REGION_DUPLICATE"]
    assert [finding.code for finding in findings] == ["REGION_MIXED", "REGION_DUPLICATE"]
    assert "rows 2, 4, 5" in findings[1].message
    assert "1, 4, 7" in findings[1].message
    assert rows(frame) == [("MOp1", "right", 5.0)]


@pytest.mark.parametrize(
    ("rule", "value"), [("mean", 4.0), ("median", 3.0), ("sum", 12.0), ("min", 1.0), ("max", 8.0)]
)
def test_rules_of_aggregation(resolved, rule, value):
    text = "acronym,rate\nCA1,1\nCA1,3\nCA1,\nCA1,8\nMOp1,5\n"
    frame, findings = resolved(text, hemisphere="left", aggregate=rule)
    assert errors_in(findings) == []
    assert rows(frame) == [("CA1", "left", value), ("MOp1", "left", 5.0)]
    assert frame["rows"].tolist() == [3, 1]
    assert frame["aggregate"].tolist() == [rule, ""]
    assert frame["source"][0] == "t.csv:2,3,5"
    assert "REGION_AGGREGATED" in [finding.code for finding in findings]


def test_a_duplicate_is_told_once_for_many_features(resolved):
    features = {name: {"column": "rate"} for name in ("a", "b", "c")}
    _, findings = resolved("acronym,rate\nCA1,1\nCA1,4\n", hemisphere="left", features=features)
    assert [finding.code for finding in findings] == ["REGION_DUPLICATE"]
    assert "2 more features" in findings[0].message


@given(
    st.lists(
        st.tuples(st.integers(2, 9), st.sampled_from(["left", "right"]), st.floats(-1e6, 1e6)),
        max_size=40,
    ),
    st.sampled_from(["mean", "median", "sum", "min", "max"]),
    st.randoms(),
)
def test_aggregation_keeps_every_row_and_minds_no_order(given_rows, rule, random):
    observations = [
        Observation("f", index, side, value, "t.csv", row, rule)
        for row, (index, side, value) in enumerate(given_rows, start=2)
    ]
    records, _ = aggregated(observations)
    assert sum(record["rows"] for record in records) == len(observations)
    random.shuffle(observations)
    again, _ = aggregated(observations)

    def values(some):
        return {record["atlas_id"]: record["value"] for record in some}

    assert values(records) == pytest.approx(values(again), rel=1e-12, abs=1e-9)
    for record in records:
        rows_used = [int(row) for row in record["source"].removeprefix("t.csv:").split(",")]
        group = [given_rows[row - 2][2] for row in rows_used]
        if len(group) > 1:
            by_hand = {"mean": statistics.fmean, "sum": math.fsum, "min": min, "max": max}
            expected = by_hand.get(rule, statistics.median)(group)
            assert record["value"] == pytest.approx(expected, rel=1e-12, abs=1e-9)
        else:
            assert record["value"] == group[0]


@pytest.mark.parametrize(
    ("hemisphere", "sides"),
    [("left", ["left"]), ("right", ["right"]), ("both", ["left", "right"])],
)
def test_hemisphere_of_the_whole_table(resolved, hemisphere, sides):
    frame, findings = resolved("acronym,rate\nCA1,1\n", hemisphere=hemisphere)
    assert findings == []
    assert frame["hemisphere"].tolist() == sides
    assert frame["atlas_id"].tolist() == [-382 if side == "left" else 382 for side in sides]


def test_hemisphere_as_a_column(resolved):
    text = "acronym,rate,side\nCA1,1,Left\nCA1,2,r\nMOp1,3,both\nAAA,4,rh\nVISa,5,\nCA3,6,top\n"
    frame, findings = resolved(text, hemisphere="side")
    assert rows(frame) == [
        ("CA1", "left", 1.0),
        ("CA1", "right", 2.0),
        ("MOp1", "left", 3.0),
        ("MOp1", "right", 3.0),
        ("AAA", "right", 4.0),
    ]
    assert said(findings) == [
        ("HEMISPHERE_UNKNOWN", "t.csv row 6, column side"),
        ("HEMISPHERE_UNKNOWN", "t.csv row 7, column side"),
    ]


def test_a_table_without_any_side_is_one_finding(resolved):
    _, findings = resolved("acronym,rate\nCA1,1\nMOp1,2\n")
    assert said(findings) == [("HEMISPHERE_MISSING", "t.csv")]
    assert "2 regions" in findings[0].message


class TestIds:
    """The sign of an atlas id is a side; a hemisphere that says otherwise is refused."""

    def test_the_sign_is_enough(self, resolved):
        frame, findings = resolved("acronym,rate\n-382,1\n382,2\n320,3\n")
        assert findings == []
        assert frame["atlas_id"].tolist() == [-382, 382, 320]

    def test_signs_stand_in_a_table_of_both_sides(self, resolved):
        frame, findings = resolved("acronym,rate\n-382,1\n382,2\n", hemisphere="both")
        assert findings == []
        assert frame["atlas_id"].tolist() == [-382, 382]

    def test_ids_without_signs_take_both_sides_or_those_of_a_column(self, resolved):
        frame, _ = resolved("acronym,rate\n382,1\n", hemisphere="both")
        assert sorted(frame["atlas_id"]) == [-382, 382]
        frame, findings = resolved("acronym,rate,s\n382,1,left\n", hemisphere="s")
        assert (frame["atlas_id"].tolist(), findings) == ([-382], [])

    def test_positive_ids_for_the_left_side_are_refused(self, resolved):
        _, findings = resolved("acronym,rate\n382,1\n320,2\n", hemisphere="left")
        assert said(findings) == [("REGION_SIDE", "t.csv row 2")]

    def test_a_contradicting_sign_is_refused_by_row(self, resolved):
        _, findings = resolved("acronym,rate\n-382,1\n320,2\n", hemisphere="left")
        assert said(findings) == [("REGION_SIDE", "t.csv row 3")]
        _, findings = resolved("acronym,rate\n-382,1\n", hemisphere="right")
        assert said(findings) == [("REGION_SIDE", "t.csv row 2")]

    def test_the_retina_void_and_root_are_left_out_by_id_too(self, resolved):
        frame, findings = resolved("acronym,rate\n304325711,1\n0,2\n-997,3\n-382,4\n")
        assert frame["atlas_id"].tolist() == [-382]
        assert [finding.code for finding in findings] == ["REGION_OUTSIDE"] * 3


def test_a_column_per_side(resolved):
    text = "acronym,l,r\nCA1,1,2\nMOp1,,3\n"
    features = {"rate": {"values": {"left": "l", "right": "r"}, "column": None}}
    frame, findings = resolved(text, features=features, feature=None, value=None)
    assert rows(frame) == [("CA1", "left", 1.0), ("CA1", "right", 2.0), ("MOp1", "right", 3.0)]
    assert said(findings) == [("VALUE_MISSING", "t.csv, feature rate")]


def test_a_column_per_side_does_not_go_with_signed_ids(resolved):
    features = {"rate": {"values": {"left": "l", "right": "r"}}}
    _, findings = resolved("acronym,l,r\n382,1,2\n-320,1,2\n", features=features)
    assert said(findings) == [("REGION_SIDE", "t.csv row 3")]


def test_a_long_table(resolved):
    text = (
        "acronym,what,number\nCA1,rate,1\nCA1,Depth (um),2\nMOp1,rate,3\nMOp1,other,4\n"
        "AAA,rate,bad\n"
    )
    features = {"rate": {}, "depth": {"column": "Depth (um)"}}
    frame, findings = resolved(
        text, hemisphere="left", feature="what", value="number", features=features
    )
    assert frame[["feature", "acronym", "value"]].to_numpy().tolist() == [
        ["rate", "CA1", 1.0],
        ["rate", "MOp1", 3.0],
        ["depth", "CA1", 2.0],
    ]
    assert said(findings) == [
        ("LONG_ROWS_UNUSED", "t.csv"),
        ("VALUE_NOT_NUMBER", "t.csv row 6, column number"),
    ]
    assert "other" in findings[0].message


def test_a_feature_without_a_value_is_an_error(resolved):
    _, findings = resolved("acronym,rate\nCA1,\nMOp1,nan\n", hemisphere="left")
    assert said(errors_in(findings)) == [("FEATURE_EMPTY", "t.csv, feature rate")]
    _, findings = resolved("acronym,rate\nCA1,\nMOp9,nan\n", hemisphere="left")
    assert said(errors_in(findings)) == [
        ("REGION_UNKNOWN", "t.csv row 3"),
        ("FEATURE_EMPTY", "t.csv, feature rate"),
    ]


def test_a_missing_table_or_column_is_a_finding_beside_the_others(resolved, tmp_path):
    features = {"rate": {"column": "rate"}, "depth": {"column": "Depth"}}
    frame, findings = resolved(GETTING_STARTED, hemisphere="side", features=features)
    assert len(frame) == 0
    assert said(findings) == [("TABLE_COLUMN", "t.csv"), ("TABLE_COLUMN", "t.csv")]
    text = "acronym,rate\nMOp9,1\nMOs5,x,\nCA1,1,2\n"
    frame, findings = resolved(text, hemisphere="left", features=features)
    assert said(findings) == [
        ("TABLE_COLUMN", "t.csv"),
        ("TABLE_RAGGED", "t.csv row 4"),
        ("REGION_UNKNOWN", "t.csv row 2"),
        ("VALUE_NOT_NUMBER", "t.csv row 3, column rate"),
    ]
    _, findings = resolved("acronym,rate\nxx,1\n", hemisphere="left", path="gone.csv")
    assert said(findings) == [("TABLE_MISSING", "gone.csv")]


@pytest.mark.skipif(not TABLES.is_dir(), reason="no real tables here")
class TestRealTables:
    """Tables that others published, as they are."""

    def test_all_full_names_with_commas_are_found(self):
        table = {
            "path": str(TABLES / "cell_counts_by_name.csv"),
            "regions": "structure_name",
            "features": {
                "count": {"values": {"left": "left_cell_count", "right": "right_cell_count"}}
            },
        }
        frame, findings = resolve_bucket({"name": "cells", "tables": [table]})
        assert errors_in(findings) == []
        assert len(frame) == 2 * 666
        source = pd.read_csv(TABLES / "cell_counts_by_name.csv")
        assert frame["value"].sum() == pytest.approx(
            source[source["structure_name"] != "root"][["left_cell_count", "right_cell_count"]]
            .to_numpy()
            .sum()
        )

    def test_acronyms_with_gaps_in_the_values(self):
        table = {
            "path": str(TABLES / "brain_wide_map_regions.csv"),
            "regions": "Beryl",
            "hemisphere": "both",
            "features": {
                "neurons": {"column": "# neurons"},
                "stim": {"column": "stim_dec"},
                "canonical": {"column": "canonical"},
            },
        }
        frame, findings = resolve_bucket({"name": "bwm", "tables": [table]})
        assert {finding.code for finding in errors_in(findings)} == {"VALUE_NOT_NUMBER"}
        assert all("column canonical" in finding.where for finding in errors_in(findings))
        source = pd.read_csv(TABLES / "brain_wide_map_regions.csv")
        counts = frame.groupby("feature").size()
        assert counts["neurons"] == 2 * source["# neurons"].notna().sum()
        assert counts["stim"] == 2 * source["stim_dec"].notna().sum()


def test_columns_of_statistics_and_the_spread_of_rows(resolved):
    text = "acronym,rate,sd,n\nCA1,1,0.5,3\nMOp1,2,,\nAAA,3,x,4\n"
    features = {"rate": {"column": "rate", "statistics": {"std": "sd", "count": "n"}}}
    frame, findings = resolved(text, hemisphere="left", features=features)
    assert said(findings) == [("VALUE_NOT_NUMBER", "t.csv row 4, column sd")]
    assert frame["std"].tolist() == pytest.approx([0.5, math.nan, math.nan], nan_ok=True)
    assert frame["count"].tolist() == pytest.approx([3.0, math.nan, 4.0], nan_ok=True)
    text = "acronym,rate\nCA1,1\nCA1,3\nCA1,8\nMOp1,2\n"
    frame, _ = resolved(text, hemisphere="left", aggregate="mean")
    first = frame.iloc[0]
    assert (first["count"], first["median"], first["min"], first["max"]) == (3.0, 3.0, 1.0, 8.0)
    assert first["std"] == pytest.approx(statistics.stdev([1, 3, 8]))
    frame, _ = resolved(text, hemisphere="left", aggregate="sum")
    assert (frame["count"][0], math.isnan(frame["max"][0])) == (3.0, True)
