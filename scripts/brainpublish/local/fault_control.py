"""Faults from outside: add and remove them over HTTP while the service runs.

POST /_faults adds the fault in the body, GET shows those that can still hit, DELETE removes all.
GET /_requests returns the book of requests, DELETE starts it anew. POST /_conditions changes the
volume service's conditions. Every call needs the token of the store's manager.
"""

import dataclasses
import hmac
import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brainpublish.local.faults import Faults, fault_from

PATHS = ("/_faults", "/_requests", "/_conditions")


class Controlled:
    """The app that `faults` wraps, with the control paths beside it.

    `conditions` is a dataclass object whose fields may be set, None if there is none. `token` is
    what a caller must send; control calls are neither counted nor hit by faults.
    """

    def __init__(self, faults: Faults, token: str, conditions: Any = None):
        self._faults = faults
        self._control = _control_app(faults, token, conditions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a control call, or pass the request on."""
        controls = scope["type"] == "http" and scope["path"] in PATHS
        app: ASGIApp = self._control if controls else self._faults
        await app(scope, receive, send)


def _control_app(faults: Faults, token: str, conditions: Any) -> Starlette:
    def show_faults(body: Any) -> Response:
        return JSONResponse(faults.active())

    def add_fault(body: Any) -> Response:
        if not isinstance(body, dict):
            raise ValueError("the body must be one fault: a JSON object with kind and more")
        faults.add(fault_from(body))
        return JSONResponse(faults.active())

    def clear_faults(body: Any) -> Response:
        faults.clear()
        return JSONResponse(faults.active())

    def show_requests(body: Any) -> Response:
        records = [dataclasses.asdict(record) for record in list(faults.requests)]
        return JSONResponse({"counts": dataclasses.asdict(faults.counts), "requests": records})

    def forget_requests(body: Any) -> Response:
        faults.forget()
        return show_requests(body)

    def set_conditions(body: Any) -> Response:
        change_fields(conditions, body)
        return JSONResponse(dataclasses.asdict(conditions))

    table = [
        ("/_faults", "GET", show_faults),
        ("/_faults", "POST", add_fault),
        ("/_faults", "DELETE", clear_faults),
        ("/_requests", "GET", show_requests),
        ("/_requests", "DELETE", forget_requests),
    ]
    if conditions is not None:
        table.append(("/_conditions", "POST", set_conditions))
    routes = [Route(path, _guarded(token, act), methods=[method]) for path, method, act in table]
    return Starlette(routes=routes)


def change_fields(target: Any, changes: Any) -> None:
    """Set fields of a dataclass object. Raises ValueError for unknown fields and other types."""
    if not isinstance(changes, dict):
        raise ValueError("the body must be a JSON object of fields")
    for name, value in changes.items():
        known = {field.name for field in dataclasses.fields(target)}
        if name not in known:
            raise ValueError(f"{name} is none of {', '.join(sorted(known))}")
        kind = type(getattr(target, name))
        right = isinstance(value, kind) or (kind is float and type(value) is int)
        if not right:
            raise ValueError(f"{name} must be of type {kind.__name__}")
    for name, value in changes.items():
        setattr(target, name, value)


def _guarded(token: str, act: Callable[[Any], Response]) -> Callable:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        given = request.headers.get("Authorization", "").rpartition(" ")[2]
        if not hmac.compare_digest(given.encode(), token.encode()):
            return PlainTextResponse("The manager's token is needed.", 401)
        try:
            return act(json.loads(body) if body else None)
        except (ValueError, RecursionError) as error:
            return PlainTextResponse(f"Not understood: {error}", 400)

    return endpoint
