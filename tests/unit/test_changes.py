"""Slices in whose place others are: what is noticed of them, and what is left to Snakemake."""

import json
import os

import pytest

from brainpublish.files import stamp_of_file
from brainpublish.slices.changes import made_anew_for, replaced_files

NOTED = 2_000_000_000


@pytest.fixture
def noted(tmp_path):
    """A slice of three bytes, and what a manifest's job noted of it, later."""
    file, stamps = tmp_path / "z1.tif", tmp_path / "stamps.json"
    put(file, b"abc", NOTED - 100)
    stamps.write_text(json.dumps({str(file): stamp_of_file(file)}))
    os.utime(stamps, (NOTED, NOTED))
    return str(file), stamps


def put(file, content, time):
    file.write_bytes(content)
    os.utime(file, (time, time))


@pytest.mark.parametrize(
    ("content", "time", "is_replaced"),
    [
        (b"abc", NOTED - 100, False),
        (b"xyz", NOTED - 200, True),
        (b"xyz", NOTED - 50, True),
        (b"wxyz", NOTED - 100, True),
        (b"xyz", NOTED + 1, False),
    ],
    ids=["same", "older", "later, but before it was noted", "of another size", "newer"],
)
def test_what_took_the_place_of_a_slice(noted, tmp_path, content, time, is_replaced):
    file, stamps = noted
    put(tmp_path / "z1.tif", content, time)
    found = replaced_files(stamps, [file])
    assert (file in found) == is_replaced
    again = made_anew_for(tmp_path / "plan.json", [], found)
    assert (again is not None) == is_replaced


def test_nothing_is_said_of_files_that_are_gone_or_were_never_noted(noted, tmp_path):
    file, stamps = noted
    (tmp_path / "z1.tif").unlink()
    assert replaced_files(stamps, [file]) == {}
    assert replaced_files(tmp_path / "none.json", [file]) == {}
