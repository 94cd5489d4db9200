"""Answers and addresses that nobody expects: each ends with a cause in words, and no secret."""

import base64
import json

import pytest
from test_upload_answers import BOX, answering, reply

from brainpublish.bossdb import client as client_module
from brainpublish.bossdb.answers import MESSAGE, is_busy
from brainpublish.bossdb.client import BossdbClient, BossdbRefusal
from brainpublish.bossdb.endpoint import Endpoint

pytestmark = pytest.mark.usefixtures("no_pauses")

TOKEN = "secret%token"
CALLS = {
    "json": lambda client: client.get_json("collection/x"),
    "post": lambda client: client.post_body("a/b/c", BOX, b"x" * 100),
    "body": lambda client: client.get_body("a/b/c", BOX),
    "token": BossdbClient.check_token,
}


@pytest.fixture(autouse=True)
def _two_tries(monkeypatch):
    monkeypatch.setattr(client_module, "TRIES", 2)


def refused(host: str, call: str, protocol="http") -> str:
    endpoint = Endpoint("remote", protocol, host, "id", TOKEN)
    with BossdbClient(endpoint) as client, pytest.raises(BossdbRefusal) as caught:
        CALLS[call](client)
    return str(caught.value)


def moved(address: bytes) -> bytes:
    return b"HTTP/1.0 302 Found\r\nLocation: " + address + b"\r\n\r\n"


def worded(body: bytes, charset: str) -> bytes:
    return reply(body, "400 Bad", f"Content-Type: application/json; charset={charset}\r\n")


@pytest.mark.parametrize("call", ["json", "post", "body"])
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (moved(b"http://[bad/x"), "redirects to another address"),
        (moved(b"/\xff\xfe"), "redirects to another address"),
        (reply(b"[" * 100_000, "400 Bad"), "answer 400 Bad"),
        (reply(b"1" * 5000, "400 Bad"), "answer 400 Bad"),
        (reply(b'{"code": [9001], "message": null}', "400 Bad"), "answer 400"),
        (worded(b"a" * 69 + b"\xff", "idna"), "answer 400 Bad"),
        (worded(b"abcd", "undefined"), "answer 400 Bad"),
        (worded(b"+A-\xff", "punycode"), "answer 400 Bad"),
        (reply(b"abc", "206 Partial", "Content-Length: 100\r\n"), "3 bytes read, 97 more"),
        (reply(b"abc", "400 Bad", "Content-Length: 100\r\n"), "3 bytes read, 97 more"),
        (reply(b"zz\r\nabc", more="Transfer-Encoding: chunked\r\n"), "in 2 tries"),
    ],
)
def test_answer_that_is_malformed(answer, text, call):
    if b"chunked" in answer:
        answer = answer.replace(b"1.0", b"1.1", 1)
    with answering(answer) as host:
        assert text in refused(host, call)


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.org", "[bad"])
@pytest.mark.parametrize("protocol", ["http", "https"])
def test_host_that_cannot_be_one(host, protocol):
    assert "Check `bossdb.protocol` and `bossdb.host`" in refused(host, "token", protocol)


@pytest.mark.parametrize("password", ["pass/wo", "pass#wo", "pass?wo", "pass[wo", "pass]wo"])
def test_password_of_a_proxy_that_makes_no_address_is_not_shown(monkeypatch, password):
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:{password}@proxy.invalid:8080")
    monkeypatch.delenv("NO_PROXY", raising=False)
    text = refused("bossdb.invalid", "token", "https")
    assert "must be percent-encoded" in text
    assert "pass" not in text.replace("password", "")


FORMS = [TOKEN, TOKEN.upper(), "secret%25token", base64.b64encode(TOKEN.encode()).decode()]


@pytest.mark.parametrize("form", [*FORMS, "secret\x1b[31m%to\x00ken"])
@pytest.mark.parametrize("call", ["json", "post", "body"])
def test_token_that_a_server_repeats_is_not_shown(form, call):
    said = json.dumps({"message": f"bad header: Token {form} in it"})
    with answering(reply(said.encode(), "400 Bad")) as host:
        assert "answer 400 bad header: Token *** in it" in refused(host, call)


def test_token_in_what_is_no_answer_is_not_shown():
    with answering(f"Authorization: {TOKEN}\r\n".encode()) as host:
        assert "ended with: Authorization: ***. What" in refused(host, "json")


def test_message_cannot_move_the_cursor_or_fill_the_screen():
    said = json.dumps({"message": f"\x1b[2J\x1b]0;title\x07a\n\tb\x07\u202e{'c' * 10_000}"})
    with answering(reply(said.encode(), "400 Bad")) as host:
        text = refused(host, "json")
    assert "answer 400 a bccc" in text
    assert text.isprintable()
    assert len(text) < MESSAGE + 100


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Deadlock found when trying to get lock; try restarting transaction", True),
        ("Lock wait timeout exceeded; try restarting transaction", True),
        ("BlockingIOError: Resource temporarily unavailable", True),
        ("Cannot write block: clock skew", True),
        ("Channel is locked for writing. Please contact an administrator.", False),
        ("The channel has a write lock", False),
        ("The channel is write-locked", False),
        ("Only writes at the base resolution", False),
    ],
)
def test_only_a_locked_channel_is_locked(message, passes):
    assert is_busy(message) is passes


def test_database_that_is_busy_is_asked_again():
    said = json.dumps({"code": 9001, "message": "Deadlock found when trying to get lock"})
    with answering(reply(said.encode(), "400 Bad"), reply(b"", "201 Created")) as host:
        endpoint = Endpoint("remote", "http", host, "id", TOKEN)
        with BossdbClient(endpoint) as client:
            client.post_body("a/b/c", BOX, b"x" * 100)


@pytest.mark.parametrize(
    "answer",
    [
        moved(b"https://elsewhere.invalid/"),
        reply(b"<html>please log in</html>"),
    ],
)
def test_what_answers_but_is_no_bossdb_is_found_at_the_start(answer):
    with answering(answer) as host:
        text = refused(host, "token")
        with BossdbClient(Endpoint("remote", "http", host, "id", TOKEN)) as client:
            assert "does not answer as a BossDB does" in str(client.token_refusal())
    assert "does not answer as a BossDB does" in text
    assert "Check `bossdb.host` and `bossdb.protocol`" in text


@pytest.mark.parametrize("status", ["500 Error", "503 Away"])
def test_bossdb_that_is_away_at_the_start_is_left_to_the_jobs(status):
    with (
        answering(reply(b"<html>", status)) as host,
        BossdbClient(Endpoint("remote", "http", host, "id", TOKEN)) as client,
    ):
        assert client.token_refusal() is None
