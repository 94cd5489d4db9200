"""A thin BossDB client: timeouts on everything, retries only for what can pass.

Cutouts are little-endian arrays z, y, x; boxes are half-open ranges in voxels at full
resolution. Statuses and error codes are those of jhuapl-boss/boss.
"""

import contextlib
import functools
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests
import tenacity

from brainpublish.bossdb.answers import (
    PASSING,
    BossdbRefusal,
    error_of,
    facts_in,
    fault_of,
    is_busy,
    is_no_bossdb,
    no_bossdb,
    passing,
    refusal_for,
)
from brainpublish.bossdb.crew import Stopped
from brainpublish.bossdb.cuboids import Box
from brainpublish.bossdb.endpoint import Endpoint
from brainpublish.bossdb.slots import Slots
from brainpublish.bossdb.wire import Limits, TimeoutAdapter
from brainpublish.halts import Halts
from brainpublish.packing import OVERHEAD, is_whole, raw_size, unpack
from brainpublish.pauses import MayPass, asked_in, asks_for_more_than
from brainpublish.repacking import Pieces

log = logging.getLogger(__name__)

TRIES = 7
PAUSES = tenacity.wait_exponential_jitter(multiplier=0.5, max=30)
"""Seconds between tries: they double, up to half a minute, and jitter keeps clients apart."""
TRYING_SECONDS = 400
"""After so long nothing is tried again: a server that hangs takes each try all of its time."""
LONGEST_ASKED = 120
"""Seconds that the server may ask to wait and have it waited for."""
ANNOUNCE_SECONDS = 30
"""How long blocks are written without a look at who else writes to the channel."""
CUTOUT = "cutout/"
WIDEST = 8
"""Bytes of a voxel of the widest type that a channel may have."""
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class _TokenAuth(requests.auth.AuthBase):
    # An auth object, not a plain header: requests lets ~/.netrc replace a header.
    def __init__(self, token: str):
        self._token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Token {self._token}"
        return request


class BossdbClient:
    """Talks to one BossDB over kept-alive connections. Safe to share between threads.

    Once `stopping` is set, no request is begun or tried again: `Stopped` is raised.

    Attributes:
        quickest: seconds that the quickest answer so far took, which any other takes too.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connections: int = 1,
        shared: str | Path | None = None,
        halts: Halts | None = None,
    ):
        """Make a client.

        Args:
            endpoint: the server.
            connections: requests in flight at the same time.
            shared: a folder; all clients with the same one share the `connections`.
            halts: where what others would meet as well is told to, and heard of, before a cutout
                is asked for.
        """
        self.halts = halts or Halts()
        self.endpoint = endpoint
        self.connections = connections
        self._slots = Slots(connections, shared)
        self.stopping = threading.Event()
        self.quickest = math.inf
        self._announcing: Callable[[], None] | None = None
        self._announce_at = 0.0
        self._announced = threading.Lock()
        self._session = requests.Session()
        self.equip(self._session)

    def equip(self, session: requests.Session) -> None:
        """Give a session what all requests to the server need: token, timeouts, connections."""
        # A proxy that the environment names cannot reach a service on this machine.
        session.trust_env = not _is_here(self.endpoint.url)
        session.auth = _TokenAuth(self.endpoint.token)
        adapter = TimeoutAdapter(pool_maxsize=self.connections)
        session.mount("http://", adapter)
        session.mount("https://", adapter)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
        self._slots.close()

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Be one of the `connections` for several requests in turn.

        Raises:
            Stopped: if `stopping` is set.
        """
        with self._slots.one(self.stopping) as held:
            if not held:
                raise Stopped
            yield

    def __enter__(self) -> "BossdbClient":
        return self

    def __exit__(self, *_):
        self.close()

    def before_writing(self, task: Callable[[], None]) -> None:
        """Have a task done before the first block is written, and now and then before others."""
        self._announcing, self._announce_at = task, 0.0

    def _announce(self) -> None:
        with self._announced:
            if self._announcing and time.monotonic() >= self._announce_at:
                self._announcing()
                self._announce_at = time.monotonic() + ANNOUNCE_SECONDS

    def get_json(self, path: str, missing: Iterable[int] = (), **options) -> dict | None:
        """Return the JSON answer of a GET below /v1, or None for the statuses in `missing`.

        Raises:
            BossdbRefusal: for any other answer than 200.
        """
        reply = self.request("GET", path, (200, *missing), **options)
        return self.json_of(reply, path) if reply.status_code == 200 else None

    def json_of(self, reply: requests.Response, path: str) -> dict:
        """Return the JSON of an answer to a GET below /v1.

        Raises:
            BossdbRefusal: if it is none.
        """
        if isinstance(facts := facts_in(reply), dict):
            return facts
        raise BossdbRefusal(
            f"{self.endpoint.host} answered GET {path} with something that is no JSON object. Is "
            "this address a BossDB, or does a proxy answer in its place?",
            reply.status_code,
        )

    def post_body(self, channel: str, box: Box, body: bytes | Pieces) -> None:
        """Send a block; zeros in it leave stored voxels as they are.

        Args:
            channel: collection/experiment/channel.
            box: where the block lies.
            body: blosc buffer of an array z, y, x of the channel's type and the box's shape.
        """
        self._announce()
        headers = {"Content-Type": "application/blosc"}
        self.request("POST", _cutout_path(channel, box), (201,), data=body, headers=headers)

    def black_cutout(self, channel: str, box: Box) -> None:
        """Set every voxel of a block to 0. Reads may see the old ones for a short while."""
        self._announce()
        path = _cutout_path(channel, box).replace(CUTOUT, f"{CUTOUT}to_black/", 1)
        self.request("PUT", path, (200,))

    def get_body(self, channel: str, box: Box, itemsize: int = WIDEST) -> bytes:
        """Read a block as it is stored, past the server's cache: a blosc buffer.

        Args:
            channel: collection/experiment/channel.
            box: where the block lies.
            itemsize: bytes of a voxel, if known: no more is read than such a block may take.
        """
        headers = {"Accept": "application/blosc", "Accept-Encoding": "identity"}
        path = _cutout_path(channel, box)
        options = {
            "headers": headers,
            "params": {"access-mode": "no-cache"},
            "timeout": Limits(math.prod(box.shape) * itemsize + OVERHEAD),
        }

        def once() -> bytes:
            body = self._once("GET", path, frozenset({200}), options).content
            if not is_whole(body):
                raise MayPass("an answer that is no whole block; does a proxy answer in its place?")
            return body

        return self.retried(once, f"GET {path}")

    def unpacked(
        self, body: bytes, box: Box, dtype: str, into: np.ndarray | None = None
    ) -> np.ndarray:
        """Return what `get_body` read as an array z, y, x.

        Args:
            body: what was read.
            box: what was asked for.
            dtype: of the channel.
            into: flat array of this type and size, to be used again and again.

        Raises:
            BossdbRefusal: if it is no blosc buffer of as many voxels of this type.
        """
        size = math.prod(box.shape)
        stated = raw_size(body) / np.dtype(dtype).itemsize
        if is_whole(body) and stated != size:
            # So much memory is not even asked for.
            found = f"{stated:,.10g} voxels"
        else:
            try:
                return unpack(body, dtype, into).reshape(box.shape)
            except ValueError as error:
                found = str(error)
        raise BossdbRefusal(
            f"{self.endpoint.host} was asked for {box}, that is {size:,} voxels of {dtype}, and "
            f"answered with {found}. Does a proxy answer in its place?",
            200,
        )

    def request(
        self, method: str, path: str, expected: Iterable[int], **options
    ) -> requests.Response:
        """Send a request below /v1 until it is answered with an expected status.

        Connection faults, 408, 425, 502, 503 and 504 are tried again with growing pauses, and
        not before a Retry-After asks for it; so are 500 on cutouts, once the token was seen to
        be accepted, and passing write faults (400/9001). Repeating is harmless: a write of the
        same block changes nothing.

        Raises:
            BossdbRefusal: for every other answer, at once, and when all tries are used up.
            Stopped: if `stopping` is set.
        """
        once = functools.partial(self._once, method, path, frozenset(expected), options)
        return self.retried(once, f"{method} {path}")

    def retried(self, once: Callable[[], Any], what: str) -> Any:
        """Do something that may be repeated, until it raises no `MayPass`; return its result.

        Raises:
            BossdbRefusal: when all tries are used up.
            Stopped: if `stopping` is set.
        """
        retrying = _retrying(self.stopping)
        try:
            with self.slot():
                return retrying(once)
        except MayPass as fault:
            tries = retrying.statistics["attempt_number"]
            times = "1 try" if tries == 1 else f"{tries} tries"
            raise BossdbRefusal(
                f"{self.endpoint.host} did not carry out {what} in {times}; the last one "
                f"ended with: {fault}. What was sent so far is recorded. Run the same command "
                "again later; it goes on from there.",
                0,
            ) from None

    def _once(self, method: str, path: str, expected: frozenset[int], options: dict):
        if self.stopping.is_set():
            raise Stopped
        if channel := _channel_in(path):
            self.halts.require_none(channel)
        reply = self._sent(method, path, options)
        if reply.status_code in expected:
            return reply
        if self._may_pass(reply, path):
            raise passing(reply)
        raise self._refusal(reply, path)

    def _refusal(self, reply: requests.Response, path: str = "") -> BossdbRefusal:
        """Return what refuses a request; others that would meet it are halted."""
        status, host = reply.status_code, self.endpoint.host
        text = f"another job of this run met answer {status} of {host}, and tells it."
        if status in (401, 429):
            self.halts.call(text)
        elif channel := _channel_in(path):
            self.halts.call(text, channel)
        return refusal_for(reply, host)

    def _may_pass(self, reply: requests.Response, path: str) -> bool:
        if reply.status_code in PASSING:
            return True
        if not path.startswith(CUTOUT):
            return False
        if reply.status_code == 500:
            # BossDB answers 500, not 401, to a cutout request with a bad token.
            self._require_token()
            return True
        code, message = error_of(reply)
        return code == 9001 and is_busy(message)

    def check_token(self) -> None:
        """Ask for the list of collections, which a bad token is refused.

        Raises:
            BossdbRefusal: if the token is not accepted, or no BossDB answers.
        """
        self.retried(self._require_bossdb, "GET collection/")

    def token_refusal(self) -> BossdbRefusal | None:
        """Ask once; return why this server will not be written to, None if it may be.

        A fault that may pass is none: the job that meets it tries again, and tells.
        """
        try:
            self._require_bossdb()
        except BossdbRefusal as refusal:
            return refusal
        except MayPass as fault:
            log.info("the token could not be checked: %s", fault)
        return None

    def _require_bossdb(self) -> None:
        reply = self._require_token()
        if is_no_bossdb(reply):
            raise no_bossdb(reply, self.endpoint.host)

    def _require_token(self) -> requests.Response:
        reply = self._sent("GET", "collection/", {"headers": {"Accept": "application/json"}})
        if reply.status_code in (401, 403):
            raise self._refusal(reply)
        return reply

    def _sent(self, method: str, path: str, options: dict) -> requests.Response:
        url = f"{self.endpoint.url}/v1/{path}"
        begun = time.perf_counter()
        try:
            # A redirected POST would become a GET.
            reply = self._session.request(method, url, allow_redirects=False, **options)
            self.quickest = min(self.quickest, time.perf_counter() - begun)
            return reply
        except (OSError, ValueError) as error:
            # All that requests raises is one, and so is a file of certificates that is missing.
            raise fault_of(error, self.endpoint.host) from None


def _is_here(url: str) -> bool:
    try:
        return urlsplit(url).hostname in THIS_MACHINE
    except ValueError:
        return False


def _retrying(stopping: threading.Event) -> tenacity.Retrying:
    return tenacity.Retrying(
        sleep=tenacity.sleep_using_event(stopping),
        retry=tenacity.retry_if_exception_type(MayPass),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(TRIES),
            tenacity.stop_after_delay(TRYING_SECONDS),
            asks_for_more_than(LONGEST_ASKED),
        ),
        wait=lambda state: max(PAUSES(state), asked_in(state) or 0),
        before_sleep=lambda state: log.info("trying again: %s", state.outcome.exception()),
        reraise=True,
    )


def _cutout_path(channel: str, box: Box) -> str:
    (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
    return f"{CUTOUT}{channel}/0/{x0}:{x1}/{y0}:{y1}/{z0}:{z1}/"


def _channel_in(path: str) -> str | None:
    """Return collection/experiment/channel of the path of a cutout, None for any other path."""
    if not path.startswith(CUTOUT):
        return None
    parts = path.removeprefix(CUTOUT).removeprefix("to_black/").split("/")
    return "/".join(parts[:3])
