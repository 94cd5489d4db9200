import string

from hypothesis import example, given
from hypothesis import strategies as st

from brainpublish.local.atlas.names import (
    bucket_name_problem,
    feature_name_problem,
    is_feature_name,
    listed_features,
    meant_bucket,
)

words = st.lists(st.sampled_from(["a", "b", "zed", "x1"]), min_size=1, max_size=3)
names = words.map("_".join)


@given(names, st.sets(names))
@example("zed", {"zed_b", "zed_a"})
@example("zed_a", {"zed_a", "zed_a_b"})
def test_a_request_reaches_its_own_bucket_or_one_that_carries_the_name(name, existing):
    meant = meant_bucket(name, existing)
    aliases = {e for e in existing if e.startswith(name + "_") or e.endswith("_" + name)}
    if name in existing:
        assert meant == name
    elif aliases:
        assert meant in aliases
        assert meant == meant_bucket(name, sorted(existing, reverse=True))
    else:
        assert meant is None


@given(st.text(alphabet=string.ascii_letters + string.digits + "._- +&é脳", min_size=1))
def test_plain_names_are_accepted_up_to_the_limit_in_bytes(name):
    fits = len(name.encode()) <= 250
    assert (feature_name_problem(name) == "") == fits
    assert is_feature_name(name) == fits
    if name not in (".", ".."):
        assert (bucket_name_problem(name) == "") == (len(name.encode()) <= 255)


@given(st.text())
def test_no_accepted_name_means_another_place(name):
    if not feature_name_problem(name):
        assert "/" not in name
        assert "\0" not in name
        assert len(f"{name}.json".encode()) <= 255
    if not bucket_name_problem(name):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\0" not in name


def test_what_a_listing_shows():
    files = ["b.json", "_bucket.json", "_x.json", "a.json.json", ".json", "..json", "c.txt"]
    assert listed_features(files) == [".", "a.json", "b"]
