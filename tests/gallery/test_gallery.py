"""Every way in which a stack goes wrong is named: its code, its severity, its place."""

import functools
import os

import numpy as np
import pytest
from cases import LABELS, MASKS, STACK, TIF, Case, removed, then
from channel import IMAGE, MASK, Channel
from describe_codes import describe_codes
from image_cases import GOOD_IMAGES, IMAGE_CASES
from mask_cases import GOOD_MASKS, MASK_CASES

from brainpublish.codes import SLICE_CODES
from stacks import ROOT

# Found between two jobs of a run, by limits, or on a disk: tested with these.
ELSEWHERE = {"SLICE_CHANGED", "STACK_STALE", "SLICE_HOSTILE", "SPACE_SHORT", "SPACE_TIGHT"}


def found(channel: Channel, case: Case):
    findings = channel.findings
    hits = [each for each in findings if each.code in case.code.split("|")]
    assert hits, findings
    assert all(each.severity == SLICE_CODES[each.code].severity for each in hits)
    assert any(each.where.endswith(case.where) and case.says in each.message for each in hits), hits
    # One fault, one error: no other error hides it or comes along.
    other = {each.code for each in findings if each.severity == "error"} - {*case.code.split("|")}
    assert not other, findings


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """Return a function that makes a case's channel, each once."""
    folder = tmp_path_factory.mktemp("gallery")
    TIF(folder / "image")
    image = Channel(folder / "image", IMAGE, {})

    @functools.cache
    def channel_of(case_name: str) -> Channel:
        (case,) = (each for each in IMAGE_CASES + MASK_CASES if each.name == case_name)
        raw = folder / case.name / ("image" if case in IMAGE_CASES else "mask")
        raw.parent.mkdir()
        case.make(raw)
        if case in IMAGE_CASES:
            return Channel(raw, IMAGE, case.keys)
        return Channel(raw, MASK, case.keys, image)

    channel_of.image = image
    channel_of.folder = folder
    return channel_of


@pytest.mark.parametrize("case", IMAGE_CASES + MASK_CASES, ids=str)
def test_case(gallery, case):
    found(gallery(case.name), case)


def test_gallery_shows_every_code_of_slices():
    shown = {code for case in IMAGE_CASES + MASK_CASES for code in case.code.split("|")}
    assert shown | ELSEWHERE == set(SLICE_CODES)


def test_description_of_findings_is_current(gallery):
    """Write docs/findings.md anew with: UPDATE_DOCS=1 pytest tests/gallery."""
    examples = {}
    for case in IMAGE_CASES + MASK_CASES:
        for finding in gallery(case.name).findings:
            if finding.code in case.code.split("|"):
                shown = f"{finding.where}: {finding.message}"
                shown = shown.replace(f"{gallery.folder / case.name}/", "")
                examples.setdefault(finding.code, shown.replace(f"{gallery.folder}/", ""))
    path = ROOT / "docs" / "findings.md"
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(describe_codes(examples), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == describe_codes(examples)


@pytest.mark.parametrize("name", GOOD_IMAGES)
def test_good_image_raises_no_alarm(tmp_path, name):
    GOOD_IMAGES[name](tmp_path / "image")
    channel = Channel(tmp_path / "image", IMAGE, {"pattern": "*.tif"} if "with" in name else {})
    assert [each for each in channel.findings if each.severity != "note"] == []
    if not name.startswith(("jpg", "bytes", "equal colours")):
        assert np.array_equal(channel.voxels(), STACK)


@pytest.mark.parametrize("name", GOOD_MASKS)
def test_good_mask_raises_no_alarm(tmp_path, gallery, name):
    GOOD_MASKS[name](tmp_path / "mask")
    channel = Channel(tmp_path / "mask", MASK, {}, gallery.image)
    assert [each for each in channel.findings if each.severity != "note"] == []
    labels = {
        "labels": LABELS,
        "float labels": LABELS,
        "wide labels": LABELS.astype(np.uint32) * 70_000,
    }
    expected = labels.get(name, STACK > 1000)
    if name not in ("instances", "jpeg"):
        assert np.array_equal(channel.voxels(), expected)


def test_mask_that_the_config_leaves_black_is_no_surprise(tmp_path, gallery):
    then(MASKS, removed("m008.png"))(tmp_path / "mask")
    channel = Channel(tmp_path / "mask", MASK, {"gaps": "black"}, gallery.image)
    alarms = {each.code for each in channel.findings if each.severity != "note"}
    assert alarms == {"MASK_FILLED"}
