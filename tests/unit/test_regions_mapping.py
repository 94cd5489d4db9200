"""The linear operator against the library called per feature."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iblbrainviewer.mappings import RegionMapper

from brainpublish.regions.mapping import Symbol, build_operator
from brainpublish.regions.universe import MAPPINGS, universe

BY_ACRONYM = {region.acronym: region for region in universe().regions}
INSIDE = [r.atlas_id for r in universe().regions if r.index not in universe().outside]


# Its tables are read once: that is most of what the library takes for a small list.
PREPARED = RegionMapper(np.array([0]), np.array([0.0]))


def by_library(ids, values):
    mapper = copy.copy(PREPARED)
    mapper.regions, mapper.values, mapper.is_acronym = np.array(ids), np.array(values), False
    mapped = mapper.map_regions()
    return {
        name: dict(zip(each["index"].tolist(), each["values"].tolist(), strict=True))
        for name, each in mapped.items()
    }


def assert_equal(mine, library):
    for name in MAPPINGS:
        assert mine[name].keys() == library[name].keys()
        assert all(abs(mine[name][row] - value) <= 1e-12 for row, value in library[name].items())


def test_reference_result_of_the_getting_started_table():
    ids = [-BY_ACRONYM[acronym].atlas_id for acronym in ("MOp1", "MOs5", "AAA", "ACAd2/3")]
    mapped = build_operator(ids).apply([1.2, 3.4, 0.0, 0.1])
    assert mapped["allen"] == {
        1346: 1.2, 1347: 1.2, 1352: 3.4, 1355: 3.4, 1554: 0.1, 1556: 0.1, 1921: 0.0,
    }  # fmt: skip
    assert mapped["beryl"] == {1346: 1.2, 1352: 3.4, 1554: 0.1, 1921: 0.0}
    assert mapped["cosmos"].keys() == {1333, 1898}
    assert mapped["cosmos"][1333] == pytest.approx(4.7 / 3, abs=1e-12)
    assert mapped["cosmos"][1898] == 0.0


def test_a_prepared_mapper_maps_like_a_new_one():
    ids, values = [-320, -315, 382, 549], [1.0, 2.0, 3.0, 4.0]
    mapped = RegionMapper(np.array(ids), np.array(values)).map_regions()
    for name, held in by_library(ids, values).items():
        assert held == dict(zip(mapped[name]["index"], mapped[name]["values"], strict=True))


@settings(max_examples=200, derandomize=True)
@given(
    st.lists(st.sampled_from(INSIDE), min_size=1, max_size=25, unique=True),
    st.sampled_from(["left", "right", "both", "mixed"]),
    st.integers(0, 2**32 - 1),
)
def test_equals_the_library_on_regions_of_all_levels(regions, sides, seed):
    rng = np.random.default_rng(seed)
    signs = {
        "left": [-1] * len(regions),
        "right": [1] * len(regions),
        "both": [-1] * len(regions),
        "mixed": rng.choice([-1, 1], len(regions)).tolist(),
    }[sides]
    ids = [sign * region for sign, region in zip(signs, regions, strict=True)]
    if sides == "both":
        ids += [-each for each in ids]
    operator = build_operator(ids)
    for matrix in operator.weights.values():
        assert np.allclose(np.asarray(matrix.sum(axis=1)), 1.0, atol=1e-12)
    values = rng.normal(size=len(ids)).tolist()
    assert_equal(operator.apply(values), by_library(ids, values))


@pytest.mark.parametrize("side", ["left", "right"])
def test_equals_the_library_asked_with_acronyms_and_a_hemisphere(side):
    rng = np.random.default_rng(2)
    acronyms = rng.choice([a for a, r in BY_ACRONYM.items() if r.atlas_id in INSIDE], 80, False)
    values = rng.normal(size=80)
    sign = -1 if side == "left" else 1
    operator = build_operator([sign * BY_ACRONYM[acronym].atlas_id for acronym in acronyms])
    mapped = RegionMapper(acronyms, values, hemisphere=side).map_regions()
    for name in MAPPINGS:
        library = dict(zip(mapped[name]["index"], mapped[name]["values"], strict=True))
        mine = operator.apply(values)[name]
        assert mine.keys() == library.keys()
        assert all(abs(mine[row] - library[row]) <= 1e-12 for row in library)


def test_all_regions_at_once_and_large_numbers_keep_their_digits():
    ids = [*INSIDE, *(-each for each in INSIDE)]
    values = np.random.default_rng(3).integers(0, 2**50, len(ids)).astype(float)
    mine, library = build_operator(ids).apply(values), by_library(ids, values)
    for name in MAPPINGS:
        assert mine[name].keys() == library[name].keys()
        rows = list(mine[name])
        np.testing.assert_allclose(
            [mine[name][row] for row in rows], [library[name][row] for row in rows], rtol=1e-12
        )


def test_a_region_that_maps_to_nothing_is_no_fault():
    mapped = build_operator([-BY_ACRONYM["ACA2/3"].atlas_id]).apply([1.0])
    assert mapped == {"allen": {}, "beryl": {1: 1.0}, "cosmos": {1333: 1.0}}


def test_a_repeated_region_is_refused():
    with pytest.raises(ValueError, match="aggregate"):
        build_operator([382, 382])


def test_a_symbol_adds_divides_and_compares():
    one, two = Symbol({0: 1.0}), Symbol({1: 1.0})
    assert (one + two) / 2 == Symbol({0: 0.5, 1: 0.5})
    assert one != two
    assert one != 1.0
    with pytest.raises(TypeError):
        one + 1
