from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from brainpublish.slices.beside import turned_slices
from brainpublish.slices.doctor import decide_rule, levels_of
from brainpublish.slices.header import Header
from brainpublish.slices.masks import BINARY, LABELS, MaskRule, decided, foreground

PNG = Header("png", 4, 4, 8, "uint8", lossy=False)
JPEG = Header("jpeg", 4, 4, 8, "uint8", lossy=True)
AUTO = {"kind": "auto", "threshold": "auto", "invert": False}

values_8_bit = arrays.arrays(np.uint8, (5, 7))


def slices(*levels):
    return [np.array([held] * 3, np.uint8) for held in levels]


@given(values_8_bit, st.integers(0, 255))
def test_foreground_is_0_and_1_and_invert_is_its_complement(values, threshold):
    plain = foreground(values, MaskRule(BINARY, threshold))
    inverted = foreground(values, MaskRule(BINARY, threshold, invert=True))
    assert plain.dtype == np.uint8
    assert np.array_equal(plain == 1, values >= threshold)
    assert np.array_equal(plain + inverted, np.ones_like(values))


@given(
    arrays.arrays(bool, (6, 6)), arrays.arrays(np.int16, (6, 6), elements=st.integers(-127, 126))
)
def test_noise_below_half_the_range_changes_nothing(inside, noise):
    noisy = np.clip(np.where(inside, 255, 0) + noise, 0, 255).astype(np.uint8)
    rule, _ = decide_rule(AUTO, JPEG, [], "here")
    assert np.array_equal(foreground(noisy, rule), inside)


def test_lossy_masks_are_binary_with_the_middle_of_the_range():
    rule, findings = decide_rule(AUTO, JPEG, [], "here")
    assert rule == MaskRule(BINARY, 128, ends=(0, 255))
    assert [finding.code for finding in findings] == ["MASK_KIND"]


def test_lossy_labels_are_refused():
    _, findings = decide_rule({**AUTO, "kind": "labels"}, JPEG, [], "here")
    assert [finding.code for finding in findings] == ["MASK_LOSSY_LABELS"]


def test_two_values_are_a_binary_mask_whatever_they_are():
    for low, high in ((0, 1), (0, 255), (3, 4)):
        rule, _ = decide_rule(AUTO, PNG, slices([low, low], [low, high]), "here")
        assert rule.kind == BINARY
        assert rule.levels == (low, high)
        held = np.array([[low, high]], np.uint8)
        assert foreground(held, rule).tolist() == [[0, 1]]


def test_more_than_two_values_are_labels():
    rule, _ = decide_rule(AUTO, PNG, slices([0, 5], [0, 9]), "here")
    assert rule == MaskRule(LABELS)


def test_the_config_decides_where_it_says_so():
    rule, _ = decide_rule({**AUTO, "kind": "labels"}, PNG, slices([0, 1]), "here")
    assert rule.kind == LABELS
    settings = {"kind": "binary", "threshold": 9, "invert": True}
    rule, _ = decide_rule(settings, PNG, slices([0, 5, 9]), "here")
    assert rule == MaskRule(BINARY, 9, invert=True, ends=(0, 9))


def test_a_mask_without_any_foreground_stays_empty():
    rule, _ = decide_rule(AUTO, PNG, slices([0, 0], [0, 0]), "here")
    assert rule.kind == BINARY
    assert not foreground(np.zeros((2, 2), np.uint8), rule).any()


@given(st.data())
def test_slices_that_are_inverted_beside_the_others_are_found(data):
    count = data.draw(st.integers(3, 40))
    steps = data.draw(st.lists(st.floats(-0.02, 0.02), min_size=count, max_size=count))
    shares = np.clip(0.15 + np.cumsum(steps), 0.001, 0.3)
    few = st.lists(st.integers(0, count - 1), unique=True, max_size=(count - 1) // 2)
    odd = sorted(data.draw(few))
    blank = data.draw(st.sampled_from([0.0, 1.0]))
    assert turned_slices([*shares, blank]) == []
    shares[odd] = 1 - shares[odd]
    assert turned_slices([blank, *shares]) == [z + 1 for z in odd]


def test_foreground_that_grows_or_shrinks_at_once_is_not_taken_for_inverted():
    assert turned_slices([0.02, 0.5, 0.9, 0.4, 0.05]) == []
    assert turned_slices([0, 0, 0.95, 0.96, 0]) == []


TYPES = st.sampled_from([np.uint8, np.uint16, np.int8, np.int16, np.float32])


@given(TYPES.flatmap(lambda kind: arrays.arrays(kind, (5, 7))), st.integers(-9, 300), st.data())
def test_what_the_threshold_decided_is_what_lies_between_the_ends(values, twice, data):
    values = np.nan_to_num(values, posinf=0, neginf=0)
    end = st.sampled_from(values.ravel().tolist()) | st.sampled_from([0, 255, 65535])
    ends = data.draw(st.tuples(end, end))
    threshold = twice / 2
    border = threshold - 0.5
    between = [value for value in values.ravel().tolist() if value not in ends]
    halves = [border + (end - border) / 2 for end in ends]
    expected = (
        len(between),
        min((abs(value - border) for value in between), default=float("inf")),
        sum(halves[0] < value < halves[1] for value in between),
    )
    assert decided(values, MaskRule(BINARY, threshold, ends=ends)) == expected


IDS = st.sampled_from([np.uint8, np.int16, np.uint64])


@given(IDS.flatmap(lambda kind: st.lists(arrays.arrays(kind, (4, 5)), max_size=3)))
def test_levels_are_counted_over_all_slices(samples):
    levels = levels_of(samples)
    counted = Counter(value for values in samples for value in values.ravel().tolist())
    found = dict(zip(levels.values.tolist(), levels.counts.tolist(), strict=True))
    assert found == counted
    assert [*found] == sorted(counted)
    assert (levels.total, levels.stray) == (
        counted.total(),
        sum(counted[value] for value in {*counted} - {*levels.solid.tolist()}),
    )


def test_a_level_in_areas_of_one_slice_and_along_edges_of_another_is_told_by_both():
    areas = np.zeros((8, 8), np.uint64)
    areas[:, 4:] = 2**63 + 1
    edges = np.zeros((8, 8), np.uint64)
    edges[::2, ::2] = 2**63 + 1
    assert levels_of([areas]).solid.tolist() == [0, 2**63 + 1]
    assert levels_of([edges]).solid.tolist() == [0]
    assert levels_of([areas, edges]).solid.tolist() == [0, 2**63 + 1]
    assert levels_of([areas, *[edges] * 9]).solid.tolist() == [0]
