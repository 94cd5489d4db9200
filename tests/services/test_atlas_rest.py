import json
import shutil

import pytest
from atlas_service import MAPPINGS, atlas_service


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with atlas_service(tmp_path_factory.mktemp("store")) as service:
        yield service


@pytest.fixture
def atlas(running):
    for bucket in running.folder.iterdir():
        shutil.rmtree(bucket)
    return running


def state(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_eight_calls_answer_200_with_a_short_text_or_json(atlas):
    assert atlas.make_bucket("mine").text == "Bucket mine successfully created."
    reply = atlas.make_feature("mine", "rate")
    assert (reply.status_code, reply.text) == (
        200,
        "Features rate successfully created in bucket mine.",
    )
    assert atlas.ask("GET", "buckets/mine").json()["features"] == {
        "rate": {"short_desc": "", "unit": ""}
    }
    assert atlas.ask("GET", "buckets/mine/rate").json() == {
        "feature_data": MAPPINGS,
        "short_desc": None,
        "unit": None,
    }
    reply = atlas.ask("PATCH", "buckets/mine", "abc", json={"metadata": {"tree": {"a": "rate"}}})
    assert (reply.status_code, reply.text) == (200, "Bucket mine successfully patched.")
    reply = atlas.ask("PATCH", "buckets/mine/rate", "abc", json={"feature_data": {"volume": ""}})
    assert reply.text == "Features rate successfully patched in bucket mine."
    assert atlas.ask("GET", "buckets/mine/rate").json()["feature_data"] == {"volume": ""}
    reply = atlas.ask("DELETE", "buckets/mine/rate", "abc")
    assert (reply.status_code, reply.text) == (200, "Successfully deleted rate.json")
    assert atlas.ask("GET", "buckets/mine/rate").status_code == 404
    reply = atlas.ask("DELETE", "buckets/mine", "abc")
    assert (reply.status_code, reply.text) == (200, "Bucket mine successfully deleted.")
    assert atlas.ask("GET", "buckets/mine").status_code == 404


def test_files_are_kept_as_the_real_service_keeps_them(atlas):
    atlas.make_bucket("mine", tree={"z": "rate", "a": "rate"})
    atlas.make_feature("mine", "rate", unit="Hz", short_desc="how often")
    assert sorted(p.name for p in (atlas.folder / "mine").iterdir()) == [
        "_bucket.json",
        "rate.json",
    ]
    metadata = json.loads((atlas.folder / "mine" / "_bucket.json").read_text())
    assert metadata["token"] == "abc"
    assert list(metadata["tree"]) == ["z", "a"]
    assert json.loads((atlas.folder / "mine" / "rate.json").read_text()) == {
        "feature_data": MAPPINGS,
        "short_desc": "how often",
        "unit": "Hz",
    }


def test_the_root_serves_the_same_as_the_api_prefix(atlas):
    atlas.make_bucket("mine")
    at_root = atlas.url.removesuffix("api/") + "buckets/mine"
    assert atlas.session.get(at_root, timeout=10).json()["features"] == {}


def test_replies_have_sorted_keys_and_no_token(atlas):
    atlas.make_bucket("mine", tree={"z": "b", "a": {"10": "x", "2": "y", "1": "z"}})
    text = atlas.ask("GET", "buckets/mine").text
    assert list(json.loads(text)["metadata"]["tree"]) == ["a", "z"]
    assert list(json.loads(text)["metadata"]["tree"]["a"]) == ["1", "10", "2"]
    assert "abc" not in text
    assert "token" not in text
    # A feature of the metadata file's name would hand out the token.
    assert atlas.ask("GET", "buckets/mine/_bucket").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "buckets/mine", {"metadata": {"tree": None}}),
        ("DELETE", "buckets/mine", None),
        ("POST", "buckets/mine", {"fname": "new", "feature_data": MAPPINGS}),
        ("PATCH", "buckets/mine/rate", {"feature_data": MAPPINGS}),
        ("DELETE", "buckets/mine/rate", None),
    ],
)
def test_a_write_needs_the_token_of_its_own_bucket(atlas, method, path, body):
    atlas.make_bucket("mine")
    atlas.make_feature("mine", "rate")
    atlas.make_bucket("other", token="def")
    before = state(atlas.folder)
    for token in (None, "wrong", "def", atlas.key):
        reply = atlas.ask(method, path, token, json=body)
        assert (reply.status_code, reply.text) == (401, "Unauthorized access.")
    malformed = {"Authorization": "abc"}
    assert atlas.ask(method, path, headers=malformed, json=body).status_code == 500
    unknown = path.replace("mine", "unknown")
    reply = atlas.ask(method, unknown, "abc", json=body)
    assert (reply.status_code, reply.text) == (404, "Bucket does not exist.")
    assert atlas.ask(method, unknown, json=body).status_code == 401
    assert state(atlas.folder) == before


def test_creating_a_bucket_needs_the_global_key(atlas):
    body = {"uuid": "mine", "metadata": {"token": "abc"}}
    assert atlas.ask("POST", "buckets", "wrong", json=body).status_code == 401
    assert atlas.ask("POST", "buckets", json=body).status_code == 500
    assert atlas.ask("POST", "buckets", f" {atlas.key}", json=body).status_code == 500
    assert not list(atlas.folder.iterdir())
    assert atlas.ask("POST", "buckets", atlas.key.upper(), json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"uuid": "mine", "metadata": {}},
        {"uuid": "mine", "metadata": {"short_desc": "no token"}},
        {"uuid": "mine", "metadata": {"token": ""}},
        {"uuid": "mine", "metadata": [1]},
        {"uuid": "mine"},
        {"metadata": {"token": "abc"}},
        {"uuid": "", "metadata": {"token": "abc"}},
        {"uuid": "x" * 256, "metadata": {"token": "abc"}},
        {"uuid": "..", "metadata": {"token": "abc"}},
        {"uuid": "../out", "metadata": {"token": "abc"}},
        {"uuid": "/tmp/out", "metadata": {"token": "abc"}},
        {"uuid": 5, "metadata": {"token": "abc"}},
        {"uuid": "\ud800", "metadata": {"token": "abc"}},
        {},
        [],
    ],
)
def test_a_bucket_that_cannot_be_is_a_500_and_leaves_nothing(atlas, body):
    before = state(atlas.folder.parent)
    assert atlas.ask("POST", "buckets", atlas.key, json=body).status_code == 500
    assert state(atlas.folder.parent) == before


@pytest.mark.parametrize(
    "body",
    [
        {"fname": "new"},
        {"fname": "new", "feature_data": {}},
        {"fname": "new", "feature_data": {"volumes": {"mean": {"volume": "x"}}}},
        {"fname": "new", "feature_data": "mappings"},
        {"fname": "a/b", "feature_data": MAPPINGS},
        {"fname": "../b", "feature_data": MAPPINGS},
        {"fname": "", "feature_data": MAPPINGS},
        {"fname": None, "feature_data": MAPPINGS},
        {"fname": "x" * 251, "feature_data": MAPPINGS},
        {"fname": "a\0b", "feature_data": MAPPINGS},
        {"feature_data": MAPPINGS},
        {},
    ],
)
def test_a_feature_that_cannot_be_is_a_500_and_leaves_nothing(atlas, body):
    atlas.make_bucket("mine")
    before = state(atlas.folder.parent)
    assert atlas.ask("POST", "buckets/mine", "abc", json=body).status_code == 500
    assert state(atlas.folder.parent) == before


def test_conflicts_media_types_and_broken_json(atlas):
    atlas.make_bucket("mine")
    atlas.make_feature("mine", "rate")
    assert atlas.make_bucket("mine").status_code == 409
    reply = atlas.make_feature("mine", "rate")
    assert (reply.status_code, reply.text) == (
        409,
        "Features rate already exist, use a PATCH request instead.",
    )
    assert atlas.make_feature("mine", "_bucket").status_code == 409
    for method, path in (("POST", "mine"), ("PATCH", "mine"), ("PATCH", "mine/rate")):
        target = f"buckets/{path}"
        assert atlas.ask(method, target, "abc", data=b"{}").status_code == 415
        as_json = {"Content-Type": "application/json"}
        for broken in (b"{", b"\xff", b"[" * 100_000):
            reply = atlas.ask(method, target, "abc", data=broken, headers=as_json)
            assert reply.status_code == 400
    assert atlas.ask("PATCH", "buckets/mine/none", "abc", json={"feature_data": MAPPINGS}).text == (
        "Feature none does not exist in bucket mine, you need to create it first."
    )


def test_unknown_routes_and_methods_are_refused_after_the_body_was_taken(atlas):
    body = b"x" * 5_000_000
    assert atlas.ask("POST", "nothing", data=body).status_code == 404
    assert atlas.ask("PUT", "buckets/mine", data=body).status_code == 405
    assert atlas.ask("GET", "buckets").status_code == 405
    assert atlas.ask("GET", "buckets/mine/").status_code == 404


def test_a_patch_keeps_description_and_unit_unless_they_are_given(atlas):
    atlas.make_bucket("mine")
    atlas.make_feature("mine", "rate", unit="Hz", short_desc="how often")
    for more in ({}, {"unit": None, "short_desc": None}):
        atlas.ask("PATCH", "buckets/mine/rate", "abc", json={"feature_data": MAPPINGS, **more})
        listed = atlas.ask("GET", "buckets/mine").json()["features"]["rate"]
        assert listed == {"short_desc": "how often", "unit": "Hz"}
    atlas.ask("PATCH", "buckets/mine/rate", "abc", json={"feature_data": MAPPINGS, "unit": ""})
    listed = atlas.ask("GET", "buckets/mine").json()["features"]["rate"]
    assert listed == {"short_desc": "how often", "unit": ""}


def test_a_patch_of_the_metadata_replaces_given_keys_only(atlas):
    atlas.make_bucket("mine", short_desc="s", tree={"a": {"b": "c"}}, extra=[1])
    atlas.ask("PATCH", "buckets/mine", "abc", json={"metadata": {"tree": {"x": "y"}}})
    metadata = atlas.ask("GET", "buckets/mine").json()["metadata"]
    assert (metadata["tree"], metadata["short_desc"]) == ({"x": "y"}, "s")
    assert metadata["extra"] == [1]
    assert atlas.ask("PATCH", "buckets/mine", "abc", json={"metadata": None}).status_code == 200
    assert atlas.ask("PATCH", "buckets/mine", "abc", json={"metadata": [1]}).status_code == 500
    assert atlas.ask("PATCH", "buckets/mine", "abc", json={"tree": 1}).status_code == 500


def test_the_received_token_is_lower_cased_the_stored_one_is_not(atlas):
    atlas.make_bucket("mine")
    atlas.make_bucket("loud", token="ABC")
    assert atlas.make_feature("mine", "rate", token="ABC").status_code == 200
    assert atlas.make_feature("loud", "rate", token="ABC").status_code == 401
    assert atlas.make_feature("loud", "rate", token="abc").status_code == 401


def test_the_token_can_be_changed(atlas):
    atlas.make_bucket("mine")
    atlas.ask("PATCH", "buckets/mine", "abc", json={"metadata": {"token": "new"}})
    assert atlas.make_feature("mine", "rate").status_code == 401
    assert atlas.make_feature("mine", "rate", token="new").status_code == 200


def test_only_reading_a_feature_writes_the_access_date(atlas):
    atlas.make_bucket("mine", last_access_date="never")
    atlas.make_feature("mine", "rate")
    atlas.ask("GET", "buckets/mine")
    assert atlas.ask("GET", "buckets/mine").json()["metadata"]["last_access_date"] == "never"
    atlas.ask("GET", "buckets/mine/rate")
    assert atlas.ask("GET", "buckets/mine").json()["metadata"]["last_access_date"] != "never"


def test_names_with_a_leading_underscore_work_but_are_not_listed(atlas):
    atlas.make_bucket("mine")
    assert atlas.make_feature("mine", "_hidden").status_code == 200
    assert atlas.ask("GET", "buckets/mine/_hidden").json()["feature_data"] == MAPPINGS
    assert atlas.ask("GET", "buckets/mine").json()["features"] == {}


@pytest.mark.parametrize("fname", ["a b", "é", "脳", "a?b#c%20d", "x" * 250, "A", "a+b&c"])
def test_odd_names_work_when_they_are_encoded(atlas, fname):
    atlas.make_bucket("mine")
    assert atlas.make_feature("mine", fname).status_code == 200
    assert list(atlas.ask("GET", "buckets/mine").json()["features"]) == [fname]
    path = "buckets/mine/" + "".join(f"%{byte:02X}" for byte in fname.encode())
    reply = atlas.ask("GET", path + "?download=1")
    assert reply.json()["feature_data"] == MAPPINGS
    assert reply.headers["Content-Disposition"].startswith("attachment; filename")
    assert "Content-Disposition" not in atlas.ask("GET", path).headers
    assert atlas.ask("DELETE", path, "abc").status_code == 200


def test_a_bucket_answers_to_the_prefix_and_suffix_of_its_name(atlas):
    atlas.make_bucket("zed_a", token="one")
    assert atlas.make_bucket("zed").status_code == 409
    assert atlas.make_bucket("a").status_code == 409
    assert atlas.make_bucket("ze").status_code == 200
    assert atlas.make_feature("zed", "rate", token="one").status_code == 200
    assert list(atlas.ask("GET", "buckets/a").json()["features"]) == ["rate"]
    # A name of its own comes first.
    assert atlas.make_bucket("zed_a_b", token="two").status_code == 200
    assert atlas.make_feature("zed_a", "second", token="one").status_code == 200
    assert atlas.make_feature("zed_a", "third", token="two").status_code == 401
    assert atlas.ask("GET", "buckets/*").status_code == 404


def test_nan_is_stored_and_served(atlas):
    atlas.make_bucket("mine")
    body = b'{"fname": "f", "feature_data": {"mappings": NaN}, "short_desc": NaN}'
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert atlas.ask("POST", "buckets/mine", "abc", data=body, headers=headers).status_code == 200
    assert "NaN" in atlas.ask("GET", "buckets/mine/f").text
    assert "NaN" in atlas.ask("GET", "buckets/mine").text
