import concurrent.futures
import contextlib
import logging
import signal
import socket
import threading

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from brainpublish.findings import Refusal
from brainpublish.local.serve import TRANSPORT, serving


def hello_app() -> Starlette:
    return Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])


def test_answers_inside_the_block_and_frees_the_port_after_it():
    with serving(hello_app()) as port:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "hello"
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/", timeout=10)
    with serving(hello_app(), port=port) as again:
        assert again == port
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "hello"


def test_listens_on_loopback_only():
    with serving(hello_app()) as port, socket.socket() as other:
        # The port is free on another loopback address only if ours is bound to one address.
        other.bind(("127.0.0.2", port))


def test_a_taken_port_is_refused_with_a_reason():
    with serving(hello_app()) as port, pytest.raises(Refusal, match=f"port {port}"):
        serving(hello_app(), port=port).__enter__()


def test_an_app_that_does_not_start_is_an_error_and_frees_the_port():
    @contextlib.asynccontextmanager
    async def broken(app):
        raise ValueError("no disk")
        yield

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(RuntimeError, match="did not start"):
        serving(Starlette(lifespan=broken), port=port).__enter__()
    with serving(hello_app(), port=port):
        pass


def test_keeps_connections_alive_and_writes_no_access_log(caplog):
    caplog.set_level(logging.DEBUG)
    app = Starlette(
        routes=[Route("/", lambda request: PlainTextResponse(str(request.client.port)))]
    )
    with serving(app) as port, requests.Session() as session:
        callers = {session.get(f"http://127.0.0.1:{port}/", timeout=10).text for _ in range(3)}
    assert len(callers) == 1
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_blocking_work_of_sixteen_requests_runs_at_once():
    barrier = threading.Barrier(16)

    def meet(request):
        barrier.wait(timeout=60)
        return PlainTextResponse("met")

    app = Starlette(routes=[Route("/", meet)])
    with serving(app) as port, concurrent.futures.ThreadPoolExecutor(16) as pool:
        url = f"http://127.0.0.1:{port}/"
        replies = list(pool.map(lambda _: requests.get(url, timeout=90).text, range(16)))
    assert replies == ["met"] * 16


def test_replies_are_not_held_back_for_acknowledgements():
    def option(request):
        connection = request.scope["state"][TRANSPORT].get_extra_info("socket")
        return PlainTextResponse(str(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))

    with serving(Starlette(routes=[Route("/", option)])) as port:
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "1"


def test_leaves_signal_handlers_alone():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with serving(hello_app()):
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_block_s_own_error_passes_through():
    with pytest.raises(KeyError), serving(hello_app()):
        raise KeyError("mine")
