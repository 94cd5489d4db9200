"""How requests travel: in small pieces, read to a bound, and none without an end.

Timeouts of sockets say how long nothing at all may happen. A server, or a proxy before it, that
sends a byte now and then never meets one. So each request has a deadline as well, after which
its connection is shut, whatever it is about.
"""

import contextlib
import functools
import socket
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

CONNECT_SECONDS = 10
SEND_SECONDS = 60
"""How long a server may take none of a piece. The system asks for more once a third of what it
holds is on its way, which takes its time where that is much and the network slow."""
READ_SECONDS = 180
"""A read waits up to 60 s for pending writes to be flushed, and may have to queue."""
WHOLE_SECONDS = 240
"""How long a request may take as a whole, beside the time that its bytes take."""
SLOWEST = 20_000
"""Bytes a second, of what is sent and of what may be answered, that are worth waiting for."""
LOOK_SECONDS = 1

PIECE_BYTES = 2**20
ANSWER_BYTES = 2**21
"""What is read of an answer at most, unless more is expected."""
ERROR_BYTES = 2**18


class Limits(NamedTuple):
    """How much of an answer is read; given to requests as its timeout."""

    most: int = ANSWER_BYTES

    def seconds(self, request: requests.PreparedRequest) -> float:
        """Return how long a request may take as a whole."""
        sent = int(request.headers.get("Content-Length") or 0)
        return WHOLE_SECONDS + (sent + self.most) / SLOWEST


class TimeoutAdapter(HTTPAdapter):
    """An adapter that waits for nothing without end; answers are read as a whole, to a bound.

    It follows no redirects: a redirected POST would become a GET.
    """

    def send(self, request, stream=False, timeout=None, **options):
        """Send a request; the timeouts are the module's own, and `timeout` may be `Limits`.

        Raises:
            requests.RequestException: if there is no whole answer.
        """
        limits = timeout if isinstance(timeout, Limits) else Limits()
        with _DEADLINES.held(limits.seconds(request)) as deadline:
            try:
                reply = self._answer(request, limits.most, **options)
            except requests.RequestException:
                if not deadline.passed:
                    raise
            if deadline.passed:
                # Where an answer states no length, one that was cut off looks whole.
                raise requests.Timeout(
                    f"no whole answer after {deadline.seconds:.0f} s", request=request
                )
            return reply

    def _answer(self, request, most: int, **options) -> requests.Response:
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            reply = super().send(request, stream=True, timeout=timeout, **options)
            # requests looks where it would go, and stumbles over what is no address.
            reply.headers.pop("Location", None)
            body = _read(reply.raw, most if reply.ok else ERROR_BYTES)
        except OSError:
            raise
        except ValueError as error:
            # Some addresses are found to be none only here.
            raise requests.exceptions.InvalidURL(error, request=request) from None
        except urllib3.exceptions.SSLError as error:
            raise requests.exceptions.SSLError(error, request=request) from None
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error, request=request) from None
        reply._content, reply._content_consumed = body, True
        return reply

    def init_poolmanager(self, *args, **options):
        """Make the pools of connections."""
        super().init_poolmanager(*args, **options)
        _equip(self.poolmanager)

    def proxy_manager_for(self, *args, **options):
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        _equip(manager)
        return manager


def _read(raw: urllib3.HTTPResponse, most: int) -> bytes:
    """Return the body of an answer, read at once: requests takes it in pieces of 10 kB.

    One that is longer is cut after `most` and a byte: what reads it sees that it is not whole.
    """
    parts, left = [], most + 1
    # Decoding what is not encoded would only copy it.
    decode = "Content-Encoding" in raw.headers
    try:
        while left > 0 and (part := raw.read(left, decode_content=decode)):
            parts.append(part)
            left -= len(part)
    finally:
        # Does nothing to a connection that was read to the end of its answer, and went back.
        raw.close()
        raw.release_conn()
    return b"".join(parts)


class _Deadline:
    """When a request is to have ended, and the connection that it is on."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.passed = False
        self.at = time.monotonic() + seconds
        self.connection: HTTPConnection | None = None
        self.line: socket.socket | None = None

    def end(self) -> None:
        """Shut the connection: whoever waits for it finds it at its end."""
        self.passed = True
        # A connection forgets its socket while an answer that ends with it is read.
        line = self.line or (self.connection and self.connection.sock)
        if line is not None:
            with contextlib.suppress(OSError):
                # Not the method of a TLS socket: it disturbs the thread that reads.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class _Deadlines:
    """Deadlines of requests, looked after by one thread as long as there are any."""

    def __init__(self):
        self._held: set[_Deadline] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self.mine = threading.local()

    @contextlib.contextmanager
    def held(self, seconds: float) -> Iterator[_Deadline]:
        """Give what this thread sends in the block a deadline."""
        deadline = _Deadline(seconds)
        with self._guard:
            self._held.add(deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
        self.mine.deadline = deadline
        try:
            yield deadline
        finally:
            self.mine.deadline = None
            with self._guard:
                self._held.discard(deadline)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._guard:
                if not self._held:
                    self._thread = None
                    return
                for deadline in self._held:
                    if time.monotonic() >= deadline.at:
                        deadline.end()


_DEADLINES = _Deadlines()


class _InPieces:
    """A connection that sends in pieces, and that the deadline of a request can shut.

    A socket's timeout is for the whole of what it is given to send, however large that is.
    """

    def connect(self):
        self._hold(None)
        super().connect()

    def request(self, *args, **options):
        self._hold(None)
        super().request(*args, **options)

    def send(self, data):
        if self.sock is None:
            self.connect()
        self.sock.settimeout(SEND_SECONDS)
        view = memoryview(data).cast("B")
        for begin in range(0, len(view), PIECE_BYTES):
            super().send(view[begin : begin + PIECE_BYTES])

    def getresponse(self):
        self._hold(self.sock)
        return super().getresponse()

    def _hold(self, line: socket.socket | None) -> None:
        deadline = getattr(_DEADLINES.mine, "deadline", None)
        if deadline is not None:
            deadline.connection, deadline.line = self, line


def _equip(manager: urllib3.PoolManager) -> None:
    """Let connections be such, each beside of the kind that it is: a proxy may have its own."""
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _equipped(pool) for scheme, pool in pools.items()}


@functools.cache
def _equipped(pool: type) -> type:
    if issubclass(pool.ConnectionCls, _InPieces):
        return pool
    line = type(pool.ConnectionCls.__name__, (_InPieces, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": line})
