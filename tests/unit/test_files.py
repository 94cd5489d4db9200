"""Compact JSON: what the standard library reads back as the same, and finite numbers only."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.files import compact_json, digest_of_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_compact_json_is_read_back_as_the_same(value):
    assert repr(json.loads(compact_json(value))) == repr(json.loads(json.dumps(value, sort_keys=1)))


@given(st.dictionaries(st.text("ab", max_size=3), st.floats(-1, 1)))
def test_equal_values_have_equal_digests(value):
    turned = dict(reversed(value.items()))
    assert digest_of_json(turned) == digest_of_json(value)
    assert digest_of_json({**value, "c": 2.0}) != digest_of_json(value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        compact_json({"mean": [1.0, number], "none": None})
