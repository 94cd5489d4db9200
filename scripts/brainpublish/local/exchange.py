"""One HTTP exchange, its flow watched and under control."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from brainpublish.local.serve import TRANSPORT

PIECE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Record:
    """One request as it was served. `status` is 0 if no reply was sent; sizes are of bodies."""

    method: str
    path: str
    query: str
    status: int
    bytes_in: int
    bytes_out: int
    faults: tuple[str, ...] = ()


class Exchange:
    """One request and its reply, with the flow of both under control."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        faults: tuple[str, ...],
        book: Callable[[Record], None],
    ):
        self.scope = scope
        self.bytes_per_second = 0.0
        self._receive = receive
        self._send = send
        self._faults = faults
        self._book: Callable[[Record], None] | None = book
        self._taken: list[Message] = []
        self._status = 0
        self._bytes_in = 0
        self._bytes_out = 0

    async def receive(self) -> Message:
        """Return the next message from the client."""
        if self._taken:
            return self._taken.pop(0)
        message = await self._receive()
        size = len(message.get("body", b""))
        self._bytes_in += size
        await self._spend(size)
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on to the client."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        step = PIECE_BYTES if self.bytes_per_second else len(body)
        for start in range(0, len(body) or 1, step or 1):
            piece = body[start : start + step]
            await self._spend(len(piece))
            await self._send_piece(piece, more or start + step < len(body))

    async def _send_piece(self, piece: bytes, more: bool) -> None:
        self._bytes_out += len(piece)
        if not more:
            # Who has the whole reply may look into the book at once.
            self.finish()
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    def finish(self) -> None:
        """Enter the exchange into the book, once."""
        if self._book is not None:
            book, self._book = self._book, None
            book(self._record())

    async def _spend(self, size: int) -> None:
        if self.bytes_per_second:
            await asyncio.sleep(size / self.bytes_per_second)

    def spoil_token(self) -> None:
        """Replace the token by a wrong one; the scheme stays."""
        headers = [
            (name, _spoiled(value) if name == b"authorization" else value)
            for name, value in self.scope["headers"]
        ]
        self.scope = {**self.scope, "headers": headers}

    async def take_body(self) -> bool:
        """Read the whole body and keep it for the app; False if the client left."""
        taken = []
        while True:
            message = await self.receive()
            taken.append(message)
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                self._taken = taken
                return message["type"] != "http.disconnect"

    async def wait(self, seconds: float) -> bool:
        """Take the body, then let time pass; False if the client left meanwhile."""
        if not await self.take_body():
            return False
        with contextlib.suppress(TimeoutError):
            while (await asyncio.wait_for(self._receive(), seconds))["type"] != "http.disconnect":
                continue
            return False
        return True

    async def answer(self, status: int, retry_after: str = "") -> None:
        """Take the body and send an error instead of the app's reply."""
        if not await self.take_body():
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if retry_after:
            headers.append((b"retry-after", retry_after.encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        text = f"Fault on demand: {status}".encode()
        await self.send({"type": "http.response.body", "body": text})

    async def break_off(self) -> None:
        """Close the connection at once, without a reply."""
        self.scope["state"][TRANSPORT].abort()
        while (await self._receive())["type"] != "http.disconnect":
            continue

    def _record(self) -> Record:
        return Record(
            self.scope["method"],
            self.scope["path"],
            self.scope["query_string"].decode("latin-1"),
            self._status,
            self._bytes_in,
            self._bytes_out,
            self._faults,
        )


def _spoiled(value: bytes) -> bytes:
    scheme, _, _ = value.partition(b" ")
    return scheme + b" refused"
