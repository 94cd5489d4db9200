"""The embedded BossDB service as an ASGI app."""

import contextlib
import logging
import re
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brainpublish.local.bossdb import (
    channels,
    collections,
    cutout,
    downsample,
    experiments,
    frames,
    groups,
    meta,
    objects,
    openapi,
    permissions,
)
from brainpublish.local.bossdb.auth import Tokens, prepare_groups, unauthorised
from brainpublish.local.bossdb.bodies import prepare_blosc
from brainpublish.local.bossdb.conditions import Conditions
from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import BossError, Code, DetailError, ServerCrash
from brainpublish.local.bossdb.pending import PendingWrites
from brainpublish.local.bossdb.pyramid import Pyramids
from brainpublish.local.bossdb.service import Call, Endpoint, Service, reply
from brainpublish.local.bossdb.volumes import Volumes
from brainpublish.local.store import LocalStore

logger = logging.getLogger(__name__)

# The web server in front of the real service refuses larger bodies, compressed as they are.
LARGEST_BODY = 550 * 1024 * 1024
READING = ("GET", "HEAD", "OPTIONS")
OLD_VERSION = re.compile(r"/v0\.[1-8](/|$)")
ENDPOINTS: list[Endpoint] = [
    *collections.ENDPOINTS,
    *frames.ENDPOINTS,
    *experiments.ENDPOINTS,
    *channels.ENDPOINTS,
    *cutout.ENDPOINTS,
    *downsample.ENDPOINTS,
    *meta.ENDPOINTS,
    *permissions.ENDPOINTS,
    *groups.ENDPOINTS,
    *objects.ENDPOINTS,
]


class _Pattern(Convertor[str]):
    """A path parameter of a given form, handed on as text."""

    def __init__(self, regex: str):
        self.regex = regex

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("digit", _Pattern("[0-9]"))
# Longer numbers cannot be parsed.
register_url_convertor("digits", _Pattern("[0-9]{1,4000}"))
register_url_convertor("range", _Pattern("[0-9]{1,4000}:[0-9]{1,4000}"))


class _Answering:
    """The ASGI app of one endpoint: reads the body whole, then works in a thread."""

    def __init__(self, service: Service, endpoint: Endpoint):
        self._service = service
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return
        if body is None:
            response: Response = _html(413, "Request Entity Too Large")
        else:
            response = await run_in_threadpool(self._answer, request, body)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        try:
            return self._handle(request, body)
        except BossError as problem:
            return _boss_answer(problem)
        except DetailError as problem:
            if self._endpoint.brittle and "application/json" not in _accept(request):
                return _html(500, "Server Error (500)")
            return JSONResponse({"detail": problem.detail}, problem.status, problem.headers)
        except ServerCrash as problem:
            logger.info("%s %s: %s", request.method, request.url.path, problem)
            return _html(500, "Server Error (500)")
        except Exception:
            logger.exception("%s %s failed", request.method, request.url.path)
            return _html(500, "Server Error (500)")

    def _handle(self, request: Request, body: bytes) -> Response:
        user = self._service.tokens.user(request.headers.get("authorization"))
        if user is None and request.method not in READING:
            raise unauthorised("Authentication credentials were not provided.")
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._endpoint.handlers.get(method)
        if handler is None:
            raise DetailError(405, f'Method "{request.method}" not allowed.')
        call = Call(
            self._service,
            method,
            request.path_params,
            request.query_params,
            request.headers,
            body,
            user,
        )
        if method in self._endpoint.managed:
            call.require_role()
        call.check_names()
        return handler(call)


class _PlainPaths:
    """Makes spellings of a path equal: doubled and trailing slashes, /latest for /v1."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = re.sub("/+", "/", scope["path"]).rstrip("/") or "/"
            scope = dict(scope, path=re.sub("^/latest(?=/|$)", "/v1", path))
        await self._app(scope, receive, send)


async def _read_body(request: Request) -> bytes | None:
    """Return the body, or None if it is too large; it is read to its end in any case."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            parts.clear()
        else:
            parts.append(part)
    return b"".join(parts) if size <= LARGEST_BODY else None


def _accept(request: Request) -> str:
    return request.headers.get("accept", "")


def _html(status: int, text: str) -> Response:
    return HTMLResponse(f"<!doctype html><html><body><h1>{text}</h1></body></html>", status)


def _boss_answer(problem: BossError) -> Response:
    content = {"status": problem.status, "code": int(problem.code), "message": problem.message}
    return JSONResponse(content, problem.status)


async def _no_route(request: Request, _: Exception) -> Response:
    with contextlib.suppress(ClientDisconnect):
        await _read_body(request)
    if OLD_VERSION.match(request.url.path):
        return _boss_answer(BossError(Code.UNSUPPORTED_VERSION, "Use version 1 of the API"))
    return _html(404, "Not Found")


async def _ping(request: Request) -> Response:
    return reply({"service": "bossdb"})


def create_app(store: LocalStore, conditions: Conditions | None = None) -> Starlette:
    """Return the service over an opened store.

    Serves `/v1/...`, the same under `/latest/...`, `/ping/` and `/openapi.json`. `conditions`
    may be changed while it runs. Pyramids are built while the app's lifespan lasts.
    """
    prepare_blosc()
    conditions = conditions or Conditions()
    database = Database(store.bossdb_folder / "bossdb.sqlite")
    prepare_groups(database)
    volumes = Volumes(store.bossdb_folder)
    pyramids = Pyramids(database, volumes, store.bossdb_folder / "downsample.lock")
    pending = PendingWrites(conditions)
    service = Service(database, volumes, Tokens(store), conditions, pending, pyramids.wake)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pyramids.start()
        try:
            yield
        finally:
            await run_in_threadpool(pending.finish)
            await run_in_threadpool(pyramids.stop)

    description = openapi.description(ENDPOINTS)
    routes = [
        Route("/ping", _ping),
        Route("/openapi.json", _constant(description)),
        *(Route(f"/v1{endpoint.path}", _Answering(service, endpoint)) for endpoint in ENDPOINTS),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _no_route})
    app.router.redirect_slashes = False
    app.add_middleware(_PlainPaths)
    app.state.conditions = conditions
    return app


def _constant(value: dict) -> Callable:
    async def answer(_: Request) -> Response:
        return reply(value)

    return answer
