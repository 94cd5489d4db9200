"""Which region a text means: every region by each of its names, and never a guess."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.regions.resolve import ANY_CASE, ATLAS_ID, NAME, Resolver, resolver
from brainpublish.regions.universe import signed_id, universe

REGIONS = universe().regions
regions = st.sampled_from(REGIONS)
blanks = st.text(st.sampled_from(" \t\n\u00a0\u2009\u200b\ufeff"), max_size=3)


def test_the_universe_is_the_ontology_of_2017():
    assert len(REGIONS) == 1328
    assert [REGIONS[i].acronym for i in sorted(universe().outside)] == ["void", "root", "retina"]
    by_acronym = {region.acronym: region for region in REGIONS}
    line = universe().ancestors(by_acronym["MOp1"].index)
    assert [REGIONS[index].acronym for index in line] == [
        "MOp", "MO", "Isocortex", "CTXpl", "CTX", "CH", "grey", "root",
    ]  # fmt: skip
    assert signed_id(by_acronym["MOp1"].atlas_id, "left") == -320


@given(regions, blanks, blanks)
def test_every_region_is_found_by_acronym_id_and_name(region, before, after):
    for text in (region.acronym, str(region.atlas_id), region.name):
        assert resolver().match(before + text + after).region == region


@given(regions)
def test_signs_and_forms_of_ids(region):
    left = resolver().match(str(-region.atlas_id))
    assert left.region == region
    assert left.kind == ATLAS_ID
    assert left.sign == (-1 if region.atlas_id else 1)
    assert resolver().match(f"{region.atlas_id}.0").region == region
    assert resolver().match(f"{region.atlas_id:,}").region == region


@pytest.mark.parametrize(
    ("text", "acronym"),
    [
        ("Primary motor area, Layer 1", "MOp1"),
        ("CUL4, 5", "CUL4 5"),
        ("CUL4,5", "CUL4 5"),
        ("CUL4 5", "CUL4 5"),
        ("ACAd2/3", "ACAd2/3"),
    ],
)
def test_commas_of_the_allen_ontology(text, acronym):
    assert resolver().match(text).region.acronym == acronym


@pytest.mark.parametrize(("text", "said"), [("mop1", "MOp1"), ("cM", "CM or cm"), ("Ca1", "CA1")])
def test_case_is_never_folded_unasked(text, said):
    match = resolver().match(text)
    assert match.region is None
    assert said in match.hint


def test_case_is_folded_on_request_where_only_one_region_fits():
    folding = resolver(ignore_case=True)
    assert folding.match("mop1").region.acronym == "MOp1"
    assert folding.match("mop1").kind == ANY_CASE
    assert folding.match("PRIMARY MOTOR AREA").region.acronym == "MOp"
    assert folding.match("cM").region is None
    assert folding.match("cm").region.acronym == "cm"
    assert folding.match("CM").region.acronym == "CM"
    assert folding.match("Ipf").region is None


@given(st.text(max_size=12))
def test_no_text_is_changed_silently(text):
    match = resolver().match(text)
    if match.region is not None and match.kind != ATLAS_ID:
        written = {match.region.acronym, match.region.name}
        assert match.written.replace(",", " ").split() in [each.split() for each in written]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DIRVs", "nearest: "),
        ("MOpl1", "MOp1"),
        ("Primary motr area", "Primary motor area"),
        ("3-Feb", "date"),
        ("2023-02-03 00:00:00", "date"),
        ("Feb-03", "date"),
        ("02/03/2023", "date"),
    ],
)
def test_unknown_texts_get_a_hint(text, said):
    match = resolver().match(text)
    assert match.region is None
    assert said in match.hint


def test_an_id_that_went_through_float32_is_told():
    rounded = [
        region.atlas_id
        for region in REGIONS
        if int(np.float32(region.atlas_id)) not in resolver().by_id
    ]
    assert len(rounded) > 50
    match = resolver().match(str(int(np.float32(rounded[0]))))
    assert match.region is None
    assert str(rounded[0]) in match.hint
    assert "float32" in match.hint


def test_damaged_names_are_suggested_first():
    rng = np.random.default_rng(5)
    wanted = [region for region in REGIONS if region.index not in universe().outside][::9]
    fresh = Resolver(universe())
    hits = tries = 0
    for region in wanted:
        at = rng.integers(1, len(region.name) - 1)
        match = fresh.match(region.name[:at] + region.name[at + 1 :])
        if match.region is None:
            tries += 1
            hits += match.hint.startswith(f"nearest: {region.name}")
    assert tries > 130
    assert hits / tries >= 0.95


def test_kind_of_a_full_name():
    assert resolver().match("Field CA1").kind == NAME
