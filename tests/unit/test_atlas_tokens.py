"""Keys and tokens: where they are found, and that none is ever lost or shown."""

import json
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from brainpublish.atlas.endpoint import LOCAL, REMOTE, AtlasEndpoint, endpoint_id
from brainpublish.atlas.tokens import (
    client_file,
    export_tokens,
    find_token,
    global_key,
    import_tokens,
    keep_token,
    mark_created,
    missing_atlas_secrets,
)
from brainpublish.findings import Refusal

SCRIPTS = Path(__file__).parents[2] / "scripts"
REMOTE_DESTINATION = {"kind": REMOTE, "api": "https://a.example/api/", "website": "https://w/"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ATLAS_GLOBAL_KEY", "ATLAS_BUCKET_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def endpoint(kind=REMOTE):
    return AtlasEndpoint(kind, "https://a/api/", "", "a", "a", client_file(), global_key)


def write(content):
    client_file().parent.mkdir(exist_ok=True)
    client_file().write_text(json.dumps(content))


def test_a_new_token_is_stored_before_it_is_used_and_the_client_finds_it(home):
    write({"global_key": "Key", "buckets": {"old": {"token": "t", "more": 1}}, "other": [1]})
    token = keep_token(endpoint(), "new")
    assert token == token.lower()
    assert len(token) == 40
    content = json.loads(client_file().read_text())
    assert content["buckets"]["new"]["token"] == token
    assert content["buckets"]["old"] == {"token": "t", "more": 1}
    assert content["other"] == [1]
    assert stat.S_IMODE(client_file().stat().st_mode) == 0o600
    assert keep_token(endpoint(), "new") == token, "a second attempt uses the same token"


def test_an_entry_says_whether_its_bucket_was_made():
    keep_token(endpoint(), "new")
    assert find_token(endpoint(), "new").created is False
    mark_created(endpoint(), "new")
    assert find_token(endpoint(), "new").created is True
    write({"buckets": {"theirs": {"token": "t"}}})
    assert find_token(endpoint(), "theirs").created is True
    before = client_file().read_text()
    mark_created(endpoint(), "theirs")
    mark_created(endpoint(), "unknown")
    assert client_file().read_text() == before


def test_the_environment_wins_and_is_named(monkeypatch):
    write({"global_key": "of the file", "buckets": {"b": {"token": "of the file"}}})
    assert find_token(endpoint(), "b").source == "~/.ibl/custom_features.json"
    assert global_key() == "of the file"
    monkeypatch.setenv("ATLAS_BUCKET_TOKEN", " ABC \n")
    monkeypatch.setenv("ATLAS_GLOBAL_KEY", "key")
    found = find_token(endpoint(), "b")
    assert (found.value, found.source) == ("abc", "environment variable ATLAS_BUCKET_TOKEN")
    assert global_key() == "key"


def test_a_rehearsal_sees_no_real_token(monkeypatch):
    monkeypatch.setenv("ATLAS_BUCKET_TOKEN", "real")
    assert find_token(endpoint(LOCAL), "b") is None
    assert keep_token(endpoint(LOCAL), "b") != "real"


def test_no_secret_is_shown(monkeypatch):
    monkeypatch.setenv("ATLAS_BUCKET_TOKEN", "sesame-token")
    monkeypatch.setenv("ATLAS_GLOBAL_KEY", "sesame-key")
    shown = (
        repr(find_token(endpoint(), "b"))
        + repr(endpoint())
        + str(missing_atlas_secrets(REMOTE_DESTINATION, ["b"]))
    )
    assert "sesame" not in shown


@pytest.mark.parametrize("text", ["{", "[]", '{"buckets": {"b": "t"}}', '{"buckets": 3}'])
def test_a_damaged_file_is_never_overwritten(text):
    client_file().parent.mkdir()
    client_file().write_text(text)
    with pytest.raises(Refusal, match="custom_features"):
        keep_token(endpoint(), "new")
    assert "custom_features" in missing_atlas_secrets(REMOTE_DESTINATION, ["b"])[0]
    assert client_file().read_text() == text


def test_missing_secrets_name_every_bucket_and_every_place(monkeypatch):
    assert missing_atlas_secrets({"kind": LOCAL, "store": "s"}, ["a"]) == []
    write({"buckets": {"a": {"token": "t"}}})
    missing = missing_atlas_secrets(REMOTE_DESTINATION, ["a", "b", "c"])
    assert len(missing) == 2
    for text, bucket in zip(missing, "bc", strict=True):
        assert f"bucket {bucket}" in text
        for place in ("ATLAS_GLOBAL_KEY", "ATLAS_BUCKET_TOKEN", "~/.ibl/custom_features.json"):
            assert place in text
    monkeypatch.setenv("ATLAS_GLOBAL_KEY", "key")
    assert missing_atlas_secrets(REMOTE_DESTINATION, ["a", "b"]) == []


def test_tokens_travel_in_a_private_file(home):
    token = keep_token(endpoint(), "mine")
    keep_token(endpoint(), "other")
    export_tokens(client_file(), ["mine"], home / "lab.json")
    assert stat.S_IMODE((home / "lab.json").stat().st_mode) == 0o600
    assert json.loads((home / "lab.json").read_text()) == {"buckets": {"mine": {"token": token}}}
    colleague = home / "colleague" / "custom_features.json"
    assert import_tokens(home / "lab.json", colleague) == ["mine"]
    assert import_tokens(home / "lab.json", colleague) == ["mine"], "again is no fault"
    there = replace(endpoint(), tokens_file=colleague)
    assert (find_token(there, "mine").value, find_token(there, "mine").created) == (token, True)
    assert find_token(there, "other") is None


def test_no_token_is_replaced_or_made_up(home):
    keep_token(endpoint(), "mine")
    with pytest.raises(Refusal, match="no token of theirs"):
        export_tokens(client_file(), ["mine", "theirs"], home / "lab.json")
    assert not (home / "lab.json").exists()
    export_tokens(client_file(), ["mine"], home / "lab.json")
    with pytest.raises(Refusal, match="exists already"):
        export_tokens(client_file(), ["mine"], home / "lab.json")
    (home / "wrong.json").write_text('{"buckets": {"mine": {"token": "x"}, "new": {"token": "y"}}}')
    before = client_file().read_text()
    with pytest.raises(Refusal, match="other tokens of mine"):
        import_tokens(home / "wrong.json", client_file())
    assert client_file().read_text() == before
    (home / "empty.json").write_text("{}")
    with pytest.raises(Refusal, match="holds no token"):
        import_tokens(home / "empty.json", client_file())


def test_fifty_processes_keep_fifty_tokens(home):
    code = (
        "import sys\n"
        "from brainpublish.atlas.endpoint import AtlasEndpoint\n"
        "from brainpublish.atlas.tokens import client_file, keep_token, mark_created\n"
        "e = AtlasEndpoint('remote', 'a', '', 'a', 'a', client_file(), str)\n"
        "keep_token(e, sys.argv[1]); mark_created(e, sys.argv[1])\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, f"b{i}"],
            env={"HOME": str(home), "PYTHONPATH": str(SCRIPTS)},
        )
        for i in range(50)
    ]
    assert [process.wait() for process in processes] == [0] * 50
    buckets = json.loads(client_file().read_text())["buckets"]
    assert len({entry["token"] for entry in buckets.values()}) == len(buckets) == 50
    assert all(entry["created"] for entry in buckets.values())


@pytest.mark.parametrize(
    ("api", "name"),
    [
        (
            "https://features.internationalbrainlab.org/api/",
            "https-features.internationalbrainlab.org-api",
        ),
        ("http://127.0.0.1:5000/api/", "http-127.0.0.1-5000-api"),
    ],
)
def test_an_address_becomes_a_file_name(api, name):
    assert endpoint_id(api) == name
