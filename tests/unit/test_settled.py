import json
import os

from hypothesis import given
from hypothesis import strategies as st

from brainpublish.settled import entry_of, is_settled, made_from

SETTINGS = {"channel": {"name": "a"}, "code": "1"}


def write(path, value, time):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    os.utime(path, (time, time))
    return path


def test_record_of_the_same_settings_that_is_no_older_is_settled(tmp_path):
    given_input = write(tmp_path / "in", "x", 10)
    record = write(tmp_path / "record.json", made_from(SETTINGS), 10)
    assert is_settled(record, made_from(SETTINGS), [given_input])
    assert not is_settled(record, made_from({**SETTINGS, "code": "2"}), [given_input])
    write(given_input, "x", 11)
    assert not is_settled(record, made_from(SETTINGS), [given_input])


def test_missing_record_or_input_is_not_settled(tmp_path):
    record = write(tmp_path / "record.json", made_from(SETTINGS), 10)
    assert not is_settled(record, made_from(SETTINGS), [tmp_path / "none"])
    assert not is_settled(tmp_path / "none", made_from(SETTINGS), [])


@given(st.one_of(st.binary(max_size=30), st.sampled_from([b"[1]", b"{}", b"null", b"{"])))
def test_nothing_in_a_record_raises(tmp_path_factory, content):
    record = tmp_path_factory.mktemp("records") / "record.json"
    record.write_bytes(content)
    assert not is_settled(record, made_from(SETTINGS), [])
    assert entry_of(record, "digest") is None
