"""Tables as people save them: separators, encodings, blank rows, faults with their row."""

import gzip

import pandas as pd
import pytest

from brainpublish.regions.table import cell_text, read_table
from brainpublish.regions.values import cell_number

TEXT = "acronym,rate (µV)\nMOp1,1.5\n\nVISa,2\n"
WANTED = ["acronym", "rate (µV)"]


def codes(findings):
    return [finding.code for finding in findings]


def saved(tmp_path, data, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encoding_and_separator_are_found(tmp_path, encoding, separator, line_end):
    text = TEXT.replace(",", separator).replace("\n", line_end)
    path = saved(tmp_path, text.encode(encoding))
    table, findings = read_table(path, WANTED)
    assert list(table.frame.index) == [2, 4], "row numbers count the blank row"
    assert table.frame.to_numpy().tolist() == [["MOp1", "1.5"], ["VISa", "2"]]
    assert set(codes(findings)) <= {"TABLE_READ_AS", "TABLE_BLANK_ROWS"}


def test_plain_csv_has_no_note_and_gzip_is_read(tmp_path):
    path = saved(tmp_path, gzip.compress(TEXT.encode()), "table.csv.gz")
    table, findings = read_table(path, WANTED)
    assert table.frame.at[4, "acronym"] == "VISa"
    assert codes(findings) == ["TABLE_BLANK_ROWS"]
    assert findings[0].severity == "note"


def test_the_separator_is_the_one_that_gives_the_columns(tmp_path):
    text = "acronym;a,b;rate\nMOp1;x,y;1,5\nVISa;x,y,z;2,5\n"
    table, _ = read_table(saved(tmp_path, text), ["acronym", "rate"])
    assert table.frame["rate"].tolist() == ["1,5", "2,5"]


def test_quotes_keep_separators_and_line_ends(tmp_path):
    text = 'acronym,rate\n"Primary motor area, Layer 1",1\n"two\nlines",2\nVISa,3\n'
    table, _ = read_table(saved(tmp_path, text), ["acronym", "rate"])
    assert table.frame.at[2, "acronym"] == "Primary motor area, Layer 1"
    assert table.frame.at[4, "rate"] == "3", "a cell of two lines is one row, as in a spreadsheet"


def test_parquet_gives_the_numbers_it_holds(tmp_path):
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame(
        {"id": [382, None], "rate": [0.1, float("nan")], "low": pd.array([0.1, 2], "float32")}
    )
    frame.to_parquet(path)
    table, findings = read_table(str(path), ["id", "rate", "low"])
    assert findings == []
    assert table.frame.loc[2].tolist() == ["382", "0.1", repr(float(frame["low"][0]))]
    assert table.frame.loc[3].tolist() == ["", "", "2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e300, "1e+300"), (2.0**60, repr(2.0**60)), (True, "True"), (pd.NA, ""), ("CA1", "CA1")],
)
def test_typed_cells_become_text_without_loss(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TABLE_EMPTY"),
        (b"acronym,rate\n\n,\n", "TABLE_EMPTY"),
        (b"\x1f\x8b not gzip", "TABLE_UNREADABLE"),
        (b"PK\x03\x04 a workbook", "TABLE_UNREADABLE"),
        (b"a\x00\x00\x00b\x00\x00\x00c", "TABLE_UNREADABLE"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "TABLE_UNREADABLE"),
    ],
)
def test_what_is_no_table_is_one_finding(tmp_path, data, code):
    table, findings = read_table(saved(tmp_path, data), ["acronym", "rate"])
    assert table is None
    assert codes(findings) == [code]
    assert findings[0].severity == "error"
    assert findings[0].where.startswith(str(tmp_path))


def test_an_absent_file_and_a_missing_column_say_what_there_is(tmp_path):
    _, findings = read_table(str(tmp_path / "gone.csv"), ["acronym"])
    assert codes(findings) == ["TABLE_MISSING"]
    _, findings = read_table(saved(tmp_path, "Acronym,rate\nMOp1,1\n"), ["acronym", "rate"])
    assert "'acronym'" in findings[0].message
    assert "'Acronym', 'rate'" in findings[0].message
    assert "'Acronym' looks like it" in findings[0].message
    _, findings = read_table(saved(tmp_path, TEXT), ["acronym", "rate (\u03bcV)"])
    assert r"'rate (\xb5V)' looks like it" in findings[0].message


@pytest.mark.parametrize(
    ("text", "code", "columns"),
    [
        ("acronym,value\nMOp1,1\n", "TABLE_COLUMN", ["acronym", "value"]),
        ("acronym,rate,rate\nMOp1,1,2\n", "TABLE_COLUMN_TWICE", ["acronym"]),
        ("acronym,rate\nMOp1,1,5\n", "TABLE_RAGGED", ["acronym", "rate"]),
    ],
)
def test_a_faulty_table_is_read_all_the_same_to_find_the_rest(tmp_path, text, code, columns):
    table, findings = read_table(saved(tmp_path, text), ["acronym", "rate"])
    assert codes(findings) == [code]
    assert findings[0].severity == "error"
    assert list(table.frame) == columns


def test_a_ragged_row_is_named(tmp_path):
    text = "acronym,rate\nMOp1,1\nVISa,1,5\nCA1,2,,\n"
    _, findings = read_table(saved(tmp_path, text), ["acronym", "rate"])
    assert [(f.code, f.where[-5:]) for f in findings] == [("TABLE_RAGGED", "row 3")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), (" -0.5 ", -0.5), ("+2.", 2.0), (".5", 0.5), ("1e-3", 0.001), ("1E5", 1e5)],
)
def test_numbers(text, value):
    assert cell_number(text).value == value


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "NaN", "-nan", "NULL", "None", "#N/A"])
def test_nothing(text):
    cell = cell_number(text)
    assert (cell.value, cell.code) == (None, "")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("1,5", "VALUE_NOT_NUMBER", "decimal comma"),
        ("1,234.5", "VALUE_NOT_NUMBER", "thousands mark"),
        ("12%", "VALUE_NOT_NUMBER", "percent"),
        ("<0.01", "VALUE_NOT_NUMBER", "limit"),
        ("True", "VALUE_NOT_NUMBER", "1 and 0"),
        ("n.s.", "VALUE_NOT_NUMBER", "'n.s.'"),
        ("1_000", "VALUE_NOT_NUMBER", "'1_000'"),
        ("0x10", "VALUE_NOT_NUMBER", "'0x10'"),
        ("١", "VALUE_NOT_NUMBER", "'١'"),
        ("-inf", "VALUE_NOT_FINITE", "finite"),
        ("Infinity", "VALUE_NOT_FINITE", "finite"),
        ("1e400", "VALUE_NOT_FINITE", "too large"),
        ("1e305", "VALUE_NOT_FINITE", "too large"),
        ("9007199254740993", "VALUE_NOT_EXACT", "9007199254740992"),
    ],
)
def test_what_is_no_number_is_named(text, code, said):
    cell = cell_number(text)
    assert (cell.value, cell.code) == (None, code)
    assert said in cell.message


def test_decimal_comma_and_missing_codes_are_asked_for():
    assert cell_number("1,5", decimal=",").value == 1.5
    assert cell_number("1,234.5", decimal=",").code == "VALUE_NOT_NUMBER"
    assert cell_number("1.234", decimal=",").code == "VALUE_NOT_NUMBER"  # may be 1234
    assert cell_number("1.234", decimal=",", typed=True).value == 1.234
    assert cell_number("0.125", decimal=",").value == 0.125
    assert cell_number("-999", missing=["-999"]).value is None
    assert cell_number("-999.0", missing=["-999", "-"]).value is None
    assert cell_number("-", missing=["-999", "-"]) == cell_number("")
    assert cell_number("-999").value == -999
    assert cell_number("100000000000000000000").value == 1e20


def test_a_quote_that_only_hurts_another_separator_does_no_harm(tmp_path):
    rows = [f"CA1\tno. {i}\t{i}" for i in range(20_000)]
    text = "\n".join(["acronym\tnote\trate", 'MOp1\tcalled ,"x\t5', *rows])
    table, findings = read_table(saved(tmp_path, text), ["acronym", "rate"])
    assert codes(findings) == ["TABLE_READ_AS"]
    assert table.frame.at[2, "rate"] == "5"
    assert len(table.frame) == 20_001
