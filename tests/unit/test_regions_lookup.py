"""Regions listed and searched: the resolver's own matching, and what the views show."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brainpublish.regions.lookup import COLUMNS, as_tsv, entries, found_regions, shown_in
from brainpublish.regions.mapping import build_operator
from brainpublish.regions.universe import MAPPINGS, universe

SCRIPTS = Path(__file__).parents[2] / "scripts"


def command(*arguments):
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    return subprocess.run(
        [sys.executable, "-m", "brainpublish.cli", "regions", *arguments],
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("text", ["MOp1", " MOp1 ", "320", "Primary motor area, Layer 1"])
def test_what_a_table_may_write_is_found_as_one_region(text):
    (entry,) = entries(found_regions(text)[0])
    assert (entry.acronym, entry.atlas_id, entry.parent) == ("MOp1", 320, "MOp")
    assert (entry.beryl, entry.cosmos) == ("MOp", "Isocortex")
    assert (entry.in_allen, entry.in_beryl, entry.in_cosmos) == ("yes", "yes", "yes")


def test_words_are_searched_in_acronyms_and_names():
    found = [region.acronym for region in found_regions("motor AREA 1")[0]]
    assert found == ["MO1", "MOp1", "MOs1"]
    assert found_regions("MOpp1") == ([], "nearest: MOp1, MOp, MO1")


def test_what_the_views_show_is_what_each_region_shows_alone():
    regions = [r for r in universe().regions if r.index not in universe().outside]
    shown = shown_in(universe().regions)
    unseen = [region for region in regions if "allen" not in shown[region.index]]
    assert len(unseen) == 172
    assert sum(not shown[region.index] for region in regions) == 104
    for region in random.Random(3).sample(regions, 25):
        operator = build_operator([region.atlas_id])
        alone = {name for name in MAPPINGS if not np.isin(operator.rows[name], (0, 1)).all()}
        assert alone == shown[region.index], region.acronym


def test_the_command_prints_a_table_for_machines():
    done = command("--tsv")
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert lines[0] == list(COLUMNS)
    assert len(lines) == 1329
    assert {len(line) for line in lines} == {len(COLUMNS)}
    assert done.stdout == as_tsv(entries(universe().regions)) + "\n"


def test_the_command_refuses_with_what_is_near():
    done = command("MOpp1")
    assert done.returncode == 1
    assert "No region is called 'MOpp1'; nearest: MOp1" in done.stderr
    assert "Traceback" not in done.stderr
    assert "MOp1" in command("motor area 1").stdout
