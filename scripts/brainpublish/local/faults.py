"""Faults on demand: what networks, proxies and servers do to a client, one request at a time.

`Faults` wraps an app. Without faults it passes everything on and counts it. Faults are added while
the service runs, from Python (`add`) or over HTTP (see `fault_control`), and each says which
requests it hits.
"""

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brainpublish.local.exchange import Exchange, Record

BEFORE_BODY, AFTER_BODY, REPLY = "before_body", "after_body", "reply"
ERRORS = tuple(int(status) for status in HTTPStatus if status >= 400)
# Requests that are remembered; older ones are counted only.
REMEMBERED = 100_000


@dataclass(kw_only=True)
class Fault:
    """Which requests are hit: after `skip` matching ones, the next `times` (None: all of them).

    A request matches if its method is `method` and its path begins with `path`; an empty text
    matches any.
    """

    method: str = ""
    path: str = ""
    skip: int = 0
    times: int | None = None

    def __post_init__(self):
        _expect(isinstance(self.method, str) and isinstance(self.path, str), "method, path: text")
        _expect(_is_count(self.skip), "skip: a whole number, 0 or more")
        _expect(self.times is None or _is_count(self.times), "times: a whole number or null")

    def take(self, method: str, path: str) -> bool:
        """Tell whether a request is hit, and count it."""
        if self.times == 0 or self.method not in ("", method) or not path.startswith(self.path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(kw_only=True)
class Answer(Fault):
    """The request's body is taken, then `status` is answered; the app is not asked.

    `retry_after` is the answer's header of that name: seconds or a date; without a text, none.
    """

    status: int = 503
    retry_after: str = ""

    def __post_init__(self):
        super().__post_init__()
        _expect(self.status in ERRORS, "status: an HTTP status from 400 on")
        right = isinstance(self.retry_after, str) and self.retry_after.isascii()
        _expect(right and self.retry_after.isprintable(), "retry_after: text in ASCII")


@dataclass(kw_only=True)
class Drop(Fault):
    """The connection is broken off.

    `when` is before_body: the body is not read; after_body: it is read, the app is not asked;
    reply: the app does its work, the reply gets lost.
    """

    when: str = BEFORE_BODY

    def __post_init__(self):
        super().__post_init__()
        known = (BEFORE_BODY, AFTER_BODY, REPLY)
        _expect(self.when in known, f"when: one of {', '.join(known)}")


@dataclass(kw_only=True)
class Delay(Fault):
    """The body is taken, then nothing happens for `seconds`; then the request is served.

    If the client leaves before, the app is not asked. Many seconds make a server that hangs.
    """

    seconds: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        _expect(_is_number(self.seconds) and self.seconds >= 0, "seconds: a number, 0 or more")


@dataclass(kw_only=True)
class Slow(Fault):
    """Bodies flow at `bytes_per_second`, in both directions, for each request on its own."""

    bytes_per_second: float = 1_000_000.0

    def __post_init__(self):
        super().__post_init__()
        right = _is_number(self.bytes_per_second) and self.bytes_per_second > 0
        _expect(right, "bytes_per_second: a number above 0")


@dataclass(kw_only=True)
class RefuseToken(Fault):
    """The app sees a wrong token and answers as it does to that. `skip` says from when on."""


KINDS: dict[str, type[Fault]] = {
    "answer": Answer,
    "drop": Drop,
    "delay": Delay,
    "slow": Slow,
    "refuse_token": RefuseToken,
}


def fault_from(values: dict[str, Any]) -> Fault:
    """Make a fault of {kind, ...}. Raises ValueError that names what is wrong."""
    values = dict(values)
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    try:
        return KINDS[kind](**values)
    except TypeError:
        known = ", ".join(KINDS[kind].__dataclass_fields__)
        raise ValueError(f"{kind} takes {known}") from None


def as_values(fault: Fault) -> dict[str, Any]:
    """Return a fault as `fault_from` takes it, with what is left of its counts."""
    kind = next(name for name, known in KINDS.items() if known is type(fault))
    return {"kind": kind, **asdict(fault)}


def _expect(right: bool, what: str) -> None:
    if not right:
        raise ValueError(what)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class Counts:
    """All requests since the start, or since `Faults.forget`."""

    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    by_status: dict[int, int] = field(default_factory=dict)


class Faults:
    """ASGI middleware that plays faults and keeps book of all requests.

    `requests` holds what was served, oldest first; `counts` the sums. Both may be read, and faults
    added, from any thread. Breaking off connections needs `serve.serving` as the server.
    """

    def __init__(self, app: ASGIApp):
        self._app = app
        self._guard = threading.Lock()
        self._faults: list[Fault] = []
        self.requests: list[Record] = []
        self.counts = Counts()

    def add(self, *faults: Fault) -> None:
        """Add faults. Of those that answer or drop, the first that still hits decides."""
        with self._guard:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Remove all faults; requests that are already hit stay so."""
        with self._guard:
            self._faults.clear()

    def active(self) -> list[dict[str, Any]]:
        """Return the faults that can still hit, with what is left of their counts."""
        with self._guard:
            return [as_values(fault) for fault in self._faults if fault.times != 0]

    def forget(self) -> None:
        """Start the book of requests anew."""
        with self._guard:
            self.requests.clear()
            self.counts = Counts(
                in_flight=self.counts.in_flight, most_in_flight=self.counts.in_flight
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass on what is not HTTP."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        faults = self._begin(scope["method"], scope["path"])
        kinds = tuple(as_values(fault)["kind"] for fault in faults)
        exchange = Exchange(scope, receive, send, kinds, self._end)
        try:
            await self._play(faults, exchange)
        finally:
            exchange.finish()

    def _begin(self, method: str, path: str) -> list[Fault]:
        with self._guard:
            counts = self.counts
            counts.requests += 1
            counts.in_flight += 1
            counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
            return _hitting(self._faults, method, path)

    def _end(self, record: Record) -> None:
        with self._guard:
            self.counts.in_flight -= 1
            self.counts.bytes_in += record.bytes_in
            self.counts.bytes_out += record.bytes_out
            by_status = self.counts.by_status
            by_status[record.status] = by_status.get(record.status, 0) + 1
            self.requests.append(record)
            if len(self.requests) > REMEMBERED:
                del self.requests[0]

    async def _play(self, faults: list[Fault], exchange: Exchange) -> None:
        for fault in faults:
            if isinstance(fault, Slow):
                exchange.bytes_per_second = fault.bytes_per_second
            elif isinstance(fault, RefuseToken):
                exchange.spoil_token()
        for fault in faults:
            if isinstance(fault, Delay) and not await exchange.wait(fault.seconds):
                return
        decider = next((fault for fault in faults if isinstance(fault, Answer | Drop)), None)
        if isinstance(decider, Answer):
            await exchange.answer(decider.status, decider.retry_after)
        elif isinstance(decider, Drop):
            await self._drop(decider.when, exchange)
        else:
            await self._app(exchange.scope, exchange.receive, exchange.send)

    async def _drop(self, when: str, exchange: Exchange) -> None:
        if when == AFTER_BODY:
            await exchange.take_body()
        elif when == REPLY:
            await self._app(exchange.scope, exchange.receive, _nowhere)
        await exchange.break_off()


def _hitting(faults: Iterable[Fault], method: str, path: str) -> list[Fault]:
    hitting: list[Fault] = []
    for fault in faults:
        decides = isinstance(fault, Answer | Drop)
        if decides and any(isinstance(other, Answer | Drop) for other in hitting):
            continue
        if fault.take(method, path):
            hitting.append(fault)
    return hitting


async def _nowhere(message: Message) -> None:
    """Take a message of a reply that gets lost."""
