"""Bodies are read as `json.loads` reads them, and their parts keep their own text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpublish.local.atlas.bodies import members

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
blanks = st.text(" \t\r\n", max_size=3)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4), blanks, st.booleans())
def test_an_object_is_read_as_by_the_standard_library(given_object, blank, ascii_only):
    text = json.dumps(given_object, indent=blank or None, ensure_ascii=ascii_only)
    body = (blank + text + blank).encode(errors="surrogatepass")
    found = members(body)
    assert list(found) == list(given_object)
    for name, (value, written) in found.items():
        assert repr(value) == repr(json.loads(body)[name])  # NaN is not equal to itself
        assert repr(json.loads(written)) == repr(value)


@given(st.text('{}[]":,0a \\', max_size=8))
def test_what_is_no_json_is_refused_as_by_the_standard_library(text):
    try:
        value = json.loads(text)
    except ValueError:
        with pytest.raises(json.JSONDecodeError):
            members(text.encode())
        return
    if not isinstance(value, dict):
        with pytest.raises(TypeError):
            members(text.encode())
    else:
        assert {name: each.value for name, each in members(text.encode()).items()} == value


def test_the_last_of_repeated_names_counts():
    assert members(b'{"a": 1, "a": [2 ]}')["a"] == ([2], "[2 ]")


def test_text_beyond_ascii_is_escaped_to_be_stored():
    assert members('{"a": ["\u00e9"]}'.encode())["a"].ascii_text() == r'["\u00e9"]'
