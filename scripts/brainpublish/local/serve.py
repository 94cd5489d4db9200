"""Serve an ASGI app from a thread of this process, for as long as a `with` block lasts."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from brainpublish.findings import Refusal

LOOPBACK = "127.0.0.1"
# Longer than any pause of a client between two requests: a connection that the server closes
# while the client is about to use it looks like a network fault to the client.
KEEP_ALIVE_SECONDS = 120
# A request that hangs on purpose (see `faults`) must not keep the server from stopping.
GRACE_SECONDS = 3

# Where an app finds the transport of a request's connection in `scope["state"]`.
TRANSPORT = "transport"


class _Connection(H11Protocol):
    """HTTP/1.1 that shows the app its connection: ASGI has no word for breaking it off."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


@contextlib.contextmanager
def serving(app: ASGIApp, port: int = 0, host: str = LOOPBACK) -> Iterator[int]:
    """Serve `app` over HTTP/1.1 and yield the port; stop and free it when the block ends.

    With port 0 the system chooses a free one. The service answers from the first line of the
    block on. It writes no access log and leaves the signal handlers alone.

    Raises `Refusal` if the port cannot be had, RuntimeError if the app does not start.
    """
    listener = _bound_socket(host, port)
    server = uvicorn.Server(_settings(app))
    thread = threading.Thread(
        target=_run, args=(server, listener), name="brainpublish-serve", daemon=True
    )
    try:
        bound = listener.getsockname()[1]
        thread.start()
        _wait_until_started(server, thread)
        yield bound
    finally:
        server.should_exit = True
        if thread.ident is not None:
            thread.join()
        listener.close()


def _settings(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Connection,
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws="none",
    )


def _bound_socket(host: str, port: int) -> socket.socket:
    # Binding here, not in the server's thread, makes the port known and ours at once.
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, each reply
    # waits 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Refusal(
            f"Cannot listen on {host}, port {port}: {error.strerror}. "
            "Choose another port, or 0 to let the system choose a free one."
        ) from None
    return listener


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # uvicorn ends its process when an app fails to start; here that would only end the thread,
    # and the one who waits for the start sees that.
    with contextlib.suppress(SystemExit):
        server.run(sockets=[listener])


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("The embedded service did not start; its log says why.")
        time.sleep(0.002)
