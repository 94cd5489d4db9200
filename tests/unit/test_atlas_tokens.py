"""Keys and tokens: where they are found, and that none is ever lost or shown."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from brainpublish.atlas.endpoint import LOCAL, REMOTE, AtlasEndpoint, endpoint_id
from brainpublish.atlas.tokens import (
    client_file,
    find_token,
    global_key,
    keep_token,
    mark_created,
    missing_atlas_secrets,
    remote_atlas,
    side_file,
)
from brainpublish.destination import stored_atlas
from brainpublish.findings import Refusal
from brainpublish.local.store import LocalStore
from brainpublish.token_commands import PUBLIC_API

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


def command(*arguments, given=None):
    return subprocess.run(
        [sys.executable, "-m", "brainpublish.cli", "token", *arguments],
        input=given,
        capture_output=True,
        text=True,
        env={"HOME": str(Path.home()), "PYTHONPATH": str(SCRIPTS), "PATH": os.environ["PATH"]},
    )


def test_a_token_travels_by_pipe_and_by_file(home, monkeypatch):
    public = remote_atlas(PUBLIC_API)
    token = keep_token(public, "mine")
    mark_created(public, "mine")
    printed = command("export", "mine")
    assert (printed.returncode, printed.stdout) == (0, f"{token}\n")
    assert command("export", "mine", str(home / "lab.token")).returncode == 0
    assert stat.S_IMODE((home / "lab.token").stat().st_mode) == 0o600
    again = command("export", "mine", str(home / "lab.token"))
    assert "exists already" in again.stderr
    whole = client_file().read_text()
    for number, arguments in enumerate([(), (str(home / "lab.token"),), ("-",)]):
        monkeypatch.setenv("HOME", str(home / f"colleague {number}"))
        given = {0: printed.stdout, 2: whole}.get(number)
        for _ in range(2):
            done = command("import", "mine", *arguments, given=given)
            assert done.returncode == 0, done.stderr
            assert token not in done.stdout + done.stderr
        found = find_token(public, "mine")
        assert (found.value, found.created) == (token, True)
        assert stat.S_IMODE(client_file().stat().st_mode) == 0o600


def test_token_of_the_embedded_service_is_exported_and_taken_over(home, monkeypatch):
    monkeypatch.chdir(home)
    LocalStore("my store").open()
    LocalStore("other").open()
    token = keep_token(stored_atlas("my store"), "mine")
    done = command("export", "mine")
    assert done.returncode == 1
    assert "name its store: `--store`" in done.stderr
    printed = command("export", "mine", "--store", "my store")
    assert (printed.returncode, printed.stdout) == (0, f"{token}\n")
    assert command("import", "mine", "--store", "other", given=token).returncode == 0
    assert find_token(stored_atlas("other"), "mine").value == token
    assert not client_file().exists()
    done = command("export", "mine", "--store", "misspelt")
    assert "There is no local store at misspelt" in done.stderr
    assert not Path("misspelt").exists()


def test_no_token_is_replaced_made_up_or_shown(home):
    token = keep_token(remote_atlas(PUBLIC_API), "mine")
    before = client_file().read_text()
    for arguments, given, says in (
        (("export", "theirs"), None, "No token of theirs"),
        (("import", "mine"), "othertoken", "another token of mine"),
        (("import", "mine"), "", "no token of mine"),
        (("import", "mine"), '{"buckets": {}}', "no token of mine"),
        (("import", "mine"), "two words", "no token of mine"),
        (("import", "mine", "atokenbymistake"), None, "cannot be read"),
    ):
        done = command(*arguments, given=given)
        assert done.returncode == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert "mistake" not in done.stderr
        assert token not in done.stderr
    assert client_file().read_text() == before


def test_buckets_of_one_name_on_two_services_have_their_own_tokens():
    one, other = remote_atlas("http://one.example/api/"), remote_atlas("http://other.example/api/")
    first, second = keep_token(one, "b"), keep_token(other, "b")
    assert first != second
    mark_created(one, "b")
    assert (find_token(one, "b").value, find_token(one, "b").created) == (first, True)
    assert (find_token(other, "b").value, find_token(other, "b").created) == (second, False)
    mark_created(other, "b")
    assert find_token(other, "b").created is True
    content = json.loads(client_file().read_text())["buckets"]
    assert content.keys() == {"b"}, "the client's file keeps the client's form"
    assert stat.S_IMODE(side_file(client_file()).stat().st_mode) == 0o600
    third = {"kind": REMOTE, "api": "http://third.example/api/", "website": "https://w/"}
    assert len(missing_atlas_secrets(third, ["b"])) == 1
    assert missing_atlas_secrets(third | {"api": "http://other.example/api/"}, ["b"]) == []


def test_an_entry_of_the_official_client_goes_with_any_service():
    write({"buckets": {"theirs": {"token": "t"}}})
    assert find_token(remote_atlas("http://one.example/api/"), "theirs").value == "t"


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
