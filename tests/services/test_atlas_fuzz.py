"""Whatever is sent: nothing leaves the store, foreign buckets stay, no answer is a surprise."""

import json
import shutil
from urllib.parse import quote

import pytest
from atlas_service import MAPPINGS, atlas_service
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

FOREIGN = "foreign"
SECRET = "the-foreign-token"
MINE = "mine"

nasty = st.sampled_from(
    [
        "..",
        ".",
        "../foreign",
        "..%2fforeign",
        "/etc/passwd",
        "a/../../b",
        "_bucket",
        "_bucket.json",
        "foreign",
        "for",
        "eign",
        "*",
        "[!x]*",
        "a\0b",
        "x" * 251,
        "x" * 300,
        "\\..\\foreign",
        " ",
        "\n",
        "\ud800",
        "~",
        "con:",
    ]
)
names = st.one_of(nasty, st.just(MINE), st.text(max_size=12))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | nasty,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
bodies = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {},
        optional={
            "uuid": names | json_values,
            "fname": names | json_values,
            "metadata": json_values
            | st.fixed_dictionaries({"token": st.just("abc") | json_values}),
            "feature_data": json_values | st.just(MAPPINGS) | st.just({"volume": "x"}),
            "short_desc": json_values,
            "unit": json_values,
        },
    ),
)
tokens = st.sampled_from(["abc", "ABC", "wrong", " abc", "abc def", "", None, "key"])
methods = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"])
depths = st.integers(0, 3)

# Texts of the 500s that the real service gives too, for requests which it does not understand.
DOCUMENTED_500 = (
    "the Authorization header must be",
    "creating a bucket needs the global key",
    "the body must be a JSON object",
    "the body holds no metadata",
    "the metadata must be an object",
    "feature_data must be an object",
    "the name must",
    "the name is longer",
    "this name means a folder",
)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    with atlas_service(tmp_path_factory.mktemp("outside") / "store") as service:
        service.make_bucket(FOREIGN, token=SECRET, tree={"a": "f"})
        service.make_feature(FOREIGN, "f", token=SECRET)
        yield service


def everything_but_mine(atlas):
    """Return all files around the store, apart from buckets that a request may make or change."""
    store = atlas.folder.parent
    files = {path: path.read_bytes() for path in store.parent.rglob("*") if path.is_file()}
    own = [folder for folder in atlas.folder.iterdir() if folder.name != FOREIGN]
    metadata = atlas.folder / FOREIGN / "_bucket.json"
    kept = {
        path: data
        for path, data in files.items()
        if not any(path.is_relative_to(folder) for folder in own)
        and not path.is_relative_to(store / "atlas-service")
    }
    # Anybody may read a feature, and reading notes the time.
    kept[metadata] = {**json.loads(kept[metadata]), "last_access_date": None}
    return kept


@settings(
    max_examples=250,
    suppress_health_check=[HealthCheck.too_slow],
)
@example("POST", 0, "x", "x", "key", {"uuid": "../x", "metadata": {"token": "abc"}}, True)
@example("POST", 1, MINE, "x", "abc", {"fname": "../foreign/f", "feature_data": MAPPINGS}, True)
@example("PATCH", 2, "..", "foreign", "abc", {"feature_data": MAPPINGS}, True)
@example("PATCH", 2, MINE, "../foreign/f", "abc", {"feature_data": MAPPINGS}, True)
@example("DELETE", 2, MINE, "_bucket", "abc", None, True)
@example("PATCH", 2, MINE, "_bucket", "abc", {"feature_data": MAPPINGS}, True)
@example("DELETE", 1, "..", "x", "abc", None, True)
@example("DELETE", 1, "", "x", "abc", None, True)
@given(methods, depths, names, names, tokens, bodies, st.booleans())
def test_any_request(atlas, method, depth, bucket, fname, token, body, encode):
    for folder in atlas.folder.iterdir():
        if folder.name != FOREIGN:
            shutil.rmtree(folder)
    atlas.make_bucket(MINE)
    before = everything_but_mine(atlas)

    parts = [quote(part.encode(errors="surrogatepass"), safe="") for part in (bucket, fname, "x")]
    token = atlas.key if token == "key" else token
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    path = "/".join(["buckets", *parts[:depth]])
    data = json.dumps(body, ensure_ascii=encode).encode(errors="surrogatepass")
    reply = atlas.ask(method, path, headers=headers, data=data)

    assert reply.status_code in (200, 400, 401, 404, 405, 409, 500)
    if reply.status_code == 500:
        assert any(text in reply.text for text in DOCUMENTED_500), reply.text
    assert SECRET not in reply.text
    assert atlas.key not in reply.text
    assert everything_but_mine(atlas) == before
    for folder in atlas.folder.iterdir():
        assert (folder / "_bucket.json").is_file()
        listing = atlas.ask("GET", "buckets/" + quote(folder.name, safe=""))
        assert listing.status_code == 200
        listing.json()
