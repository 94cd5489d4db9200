"""Slow networks are waited for as long as something arrives, others never without end."""

import contextlib
import http.client
import socket
import threading
import time

import numpy as np
import pytest

from brainpublish.bossdb import client as client_module
from brainpublish.bossdb import wire
from brainpublish.bossdb.client import BossdbClient, BossdbRefusal
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.packing import IMAGE
from brainpublish.repacking import Pieces

pytestmark = pytest.mark.usefixtures("no_pauses")

BOX = Box((0, 0, 0), (1, 2, 3))
BODY = IMAGE.fast.pack(np.arange(1, 7, dtype=np.uint16).reshape(1, 2, 3))
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


@contextlib.contextmanager
def talking(talk, receive: int | None = None):
    """Yield a client of a server that holds this talk on each connection."""
    with socket.socket() as listener:
        if receive:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def hold(connection):
            with connection, contextlib.suppress(OSError):
                talk(connection)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=hold, args=listener.accept()[:1], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        with BossdbClient(Endpoint("remote", "http", host, "id", "secret-token")) as client:
            yield client


def asked(connection, pause=0.0, at_once=2**20) -> tuple[bytes, bytes]:
    """Return head and body of a request, taken so slowly."""
    head, body = connection.recv(65536), b""
    head, _, body = head.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    bodies = [body]
    left = sum(lengths) - len(body)
    while left:
        bodies.append(connection.recv(min(left, at_once)))
        left -= len(bodies[-1])
        time.sleep(pause)
    return head, b"".join(bodies)


@pytest.mark.parametrize("joined", [False, True])
def test_body_that_takes_longer_than_a_connection_may_arrives(monkeypatch, joined):
    monkeypatch.setattr(wire, "CONNECT_SECONDS", 0.1)
    body = np.random.default_rng(0).bytes(5 * 2**20 + 7)
    seen = []

    def talk(connection):
        seen.append(asked(connection, 0.004, 2**15))
        connection.sendall(CREATED)

    sent = Pieces([body[:3], memoryview(body)[3:]]) if joined else body
    with talking(talk, 2**16) as client:
        client.post_body("a/b/c", BOX, sent)
    (head, arrived), *more = seen
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
    assert arrived == body
    assert not more


def test_body_is_sent_in_pieces_and_again_as_a_whole(monkeypatch):
    sizes, seen = [], []
    plain = http.client.HTTPConnection.send

    def send(self, data):
        sizes.append(len(data))
        return plain(self, data)

    monkeypatch.setattr(http.client.HTTPConnection, "send", send)
    body = np.random.default_rng(0).bytes(3 * wire.PIECE_BYTES + 1)

    def talk(connection):
        seen.append(asked(connection)[1])
        if len(seen) > 1:
            connection.sendall(CREATED)

    with talking(talk) as client:
        client.post_body("a/b/c", BOX, Pieces([memoryview(body)[:10], memoryview(body)[10:]]))
    assert seen == [body, body]
    assert max(sizes) == wire.PIECE_BYTES


def trickle(begin: bytes):
    """Return a talk that answers with a beginning, and then a byte now and then."""

    def talk(connection):
        asked(connection)
        connection.sendall(begin)
        while True:
            connection.sendall(b"a")
            time.sleep(0.02)

    return talk


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 201 Created\r\nX: ",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 400 Bad\r\n\r\n",
        # Without a length, the end of the connection would be the end of the answer.
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    ],
)
def test_answer_that_trickles_is_not_waited_for_without_end(monkeypatch, begin):
    monkeypatch.setattr(wire, "WHOLE_SECONDS", 0.2)
    monkeypatch.setattr(wire, "SLOWEST", 1e9)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(client_module, "TRIES", 2)
    with talking(trickle(begin)) as client:
        for call in (
            lambda: client.get_body("a/b/c", BOX),
            lambda: client.post_body("a/b/c", BOX, BODY),
        ):
            with pytest.raises(BossdbRefusal, match=r"2 tries.*no whole answer after 0 s"):
                call()


def test_proxy_that_trickles_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(wire, "WHOLE_SECONDS", 0.2)
    monkeypatch.setattr(wire, "SLOWEST", 1e9)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(client_module, "TRIES", 2)
    monkeypatch.delenv("NO_PROXY", raising=False)
    endpoint = Endpoint("remote", "https", "bossdb.invalid", "id", "secret-token")
    with talking(trickle(b"HTTP/1.1 200 OK\r\nX: ")) as proxy, BossdbClient(endpoint) as client:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.endpoint.host}")
        with pytest.raises(BossdbRefusal, match=r"2 tries.*no whole answer after 0 s"):
            client.check_token()


def test_server_that_takes_a_body_bit_by_bit_is_waited_for_by_its_size(monkeypatch):
    monkeypatch.setattr(wire, "WHOLE_SECONDS", 0.1)
    monkeypatch.setattr(wire, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(client_module, "TRIES", 1)
    body = bytes(5 * 2**20)

    def talk(connection):
        asked(connection, 0.004, 2**15)
        connection.sendall(CREATED)

    with talking(talk, 2**16) as client:
        monkeypatch.setattr(wire, "SLOWEST", 2**19)
        client.post_body("a/b/c", BOX, body)
    with talking(talk, 2**16) as client:
        monkeypatch.setattr(wire, "SLOWEST", 2**25)
        with pytest.raises(BossdbRefusal, match="no whole answer after 0 s"):
            client.post_body("a/b/c", BOX, body)


def endless(begin: bytes, sent: list):
    def talk(connection):
        asked(connection)
        connection.sendall(begin)
        for _ in range(2**10):
            connection.sendall(bytes(2**16))
            sent.append(2**16)

    return talk


@pytest.mark.parametrize(
    ("status", "text"), [("200 OK", "no whole block"), ("400 Bad", "answer 400 Bad")]
)
def test_no_more_is_read_than_an_answer_may_hold(monkeypatch, status, text):
    monkeypatch.setattr(client_module, "TRIES", 1)
    sent = []
    talk = endless(f"HTTP/1.1 {status}\r\n\r\n".encode(), sent)
    with talking(talk, 2**16) as client, pytest.raises(BossdbRefusal, match=text):
        client.get_body("a/b/c", BOX)
    assert sum(sent) < 2**26


def test_connection_is_used_again_after_each_kind_of_answer():
    seen = []
    length = f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    chunk = f"Transfer-Encoding: chunked\r\n\r\n{len(BODY):x}\r\n".encode() + BODY
    whole = [b"HTTP/1.1 200 OK\r\n" + length, b"HTTP/1.1 200 OK\r\n" + chunk + b"\r\n0\r\n\r\n"]

    def talk(connection):
        seen.append(connection)
        for answer in (*whole, CREATED, *whole):
            asked(connection)
            connection.sendall(answer)

    with talking(talk) as client:
        for sends in (False, False, True, False, False):
            if sends:
                client.post_body("a/b/c", BOX, BODY)
            else:
                assert client.get_body("a/b/c", BOX) == BODY
    assert len(seen) == 1
