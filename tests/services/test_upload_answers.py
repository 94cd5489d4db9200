"""Answers of what is no BossDB, and faults on the way to one: said in words, with what to do."""

import contextlib
import socket
import threading

import numpy as np
import pytest
import requests
from uploads import channel_settings

from brainpublish.bossdb.answers import MayPass, fault_of
from brainpublish.bossdb.channels import ChannelPlan, look_at
from brainpublish.bossdb.client import BossdbClient, BossdbRefusal
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.packing import IMAGE, unpack

pytestmark = pytest.mark.usefixtures("no_pauses")

BOX = Box((0, 0, 0), (1, 2, 3))
VALUES = np.arange(1, 7, dtype=np.uint16).reshape(1, 2, 3)
PLAN = ChannelPlan(channel_settings(), (1, 2, 3))


@contextlib.contextmanager
def answering(*answers: bytes):
    """Answer one connection after another with these bytes, the last one again and again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(answers[min(number, len(answers) - 1)])
                    # Closed with something unread, it would take the answer back.
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(1)
                    while connection.recv(65536):
                        pass
                number += 1

        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def reply(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.0 {status}\r\n{more}\r\n".encode() + body


def refusal(host: str, call, protocol="http") -> str:
    endpoint = Endpoint("remote", protocol, host, "id", "secret-token")
    with BossdbClient(endpoint) as client, pytest.raises(BossdbRefusal) as caught:
        call(client)
    assert "secret-token" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (reply(b"<html>please log in</html>"), "no JSON object. Is this address a BossDB"),
        (reply(b"[]"), "no JSON object. Is this address a BossDB"),
        (reply(b"no", "403 Forbidden"), "or a proxy or a firewall answers in its place"),
        (reply(b"", "407 Proxy"), "asks for a name and a password"),
        (reply(b"", "301 Moved", "Location: https://x/\r\n"), "It redirects to another address"),
        (reply(b"abc", more="Content-Encoding: gzip\r\n"), "Error -3 while decompressing"),
        (b"SSH-2.0-OpenSSH_9\r\n", "ended with: SSH-2.0-OpenSSH_9. What was sent"),
        (reply(b"", "429 Too Many Requests"), "(answer 429): Too Many Requests. What was sent"),
    ],
)
def test_what_is_no_bossdb(answer, text):
    with answering(answer) as host:
        assert text in refusal(host, lambda client: look_at(client, PLAN))


@pytest.mark.parametrize("host", [".foo", "foo:99999", "foo:bar"])
def test_address_that_is_none(host):
    assert "Check `bossdb.protocol` and `bossdb.host`" in refusal(host, BossdbClient.check_token)


def test_host_that_does_not_answer_the_question_for_the_token():
    text = refusal("127.0.0.1:9", BossdbClient.check_token)
    assert "Connection refused. Check `bossdb.host` and your network" in text


@pytest.mark.parametrize(
    ("status", "text"),
    [("407 Proxy", "it needs a name and a password there"), ("502 Bad", "at the proxy that")],
)
def test_proxy_that_lets_nothing_through(monkeypatch, status, text):
    with answering(reply(b"", status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert text in refusal("bossdb.invalid", BossdbClient.check_token, "https")


def test_file_of_certificates_that_is_missing(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at.all")
    text = refusal("bossdb.invalid", BossdbClient.check_token, "https")
    assert "REQUESTS_CA_BUNDLE" in text
    assert "/nowhere/at.all" in text


def test_secure_connection_that_breaks_off_is_tried_again():
    broken = requests.exceptions.SSLError("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred")
    assert isinstance(fault_of(broken, "host"), MayPass)
    strange = requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    assert isinstance(fault_of(strange, "host"), BossdbRefusal)


def test_block_that_was_cut_off_is_read_again():
    body = IMAGE.strong.pack(VALUES)
    # Without a length, nothing but the block itself tells that it is not whole.
    with answering(reply(body[:-5]), reply(b""), reply(body)) as host:
        endpoint = Endpoint("remote", "http", host, "id", "token")
        with BossdbClient(endpoint) as client:
            assert list(unpack(client.get_body("a/b/c", BOX), "uint16")) == [1, 2, 3, 4, 5, 6]
    with answering(reply(b"<html>please log in</html>")) as host:
        text = refusal(host, lambda client: client.get_body("a/b/c", BOX))
    assert "no whole block; does a proxy answer in its place?" in text
