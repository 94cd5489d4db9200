"""The token is found, or it is said why not."""

import pytest

from brainpublish.bossdb.endpoint import INTERN_FILE, TOKEN_VARIABLES, remote_endpoint
from brainpublish.findings import Refusal


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in TOKEN_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / INTERN_FILE).parent.mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "content",
    [
        "[Default]\nhost = bossdb.invalid\ntoken = geheim-übrig\n".encode("latin-1"),
        "[Default]\nhost = bossdb.invalid\ntoken = geheim\n".encode("utf-16"),
        b"token = geheim\n",
    ],
)
def test_file_of_intern_that_cannot_be_read_is_named_without_its_token(home, content):
    (home / INTERN_FILE).write_bytes(content)
    with pytest.raises(Refusal, match=r"intern\.cfg is no readable INI file") as refusal:
        remote_endpoint("https", "bossdb.invalid")
    assert "geheim" not in str(refusal.value)


def test_token_of_the_file_of_intern(home):
    (home / INTERN_FILE).write_text("[Default]\nhost = bossdb.invalid\ntoken = geheim\n")
    assert remote_endpoint("https", "bossdb.invalid").token == "geheim"
    with pytest.raises(Refusal, match=r"No BossDB token for elsewhere\.invalid"):
        remote_endpoint("https", "elsewhere.invalid")
