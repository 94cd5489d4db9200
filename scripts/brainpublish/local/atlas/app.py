"""The routes of the atlas features service: HTTP in, `Buckets`, HTTP out."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from brainpublish.local.atlas.bodies import Value, members
from brainpublish.local.atlas.buckets import Buckets, normalised
from brainpublish.local.atlas.failures import Failure, server_error
from brainpublish.local.atlas.feature import feature_of
from brainpublish.local.store import LocalStore

JSON_TYPE = "application/json"
# The real app lives behind a proxy that adds the prefix; people use both addresses.
PREFIXES = ("/api", "")


def create_app(store: LocalStore) -> Starlette:
    """Return the service over an open store, at `/api/buckets...` and at `/buckets...`."""
    buckets = Buckets(
        store.atlas_folder,
        store.atlas_folder.with_name("atlas-service"),
        store.secrets["atlas_global_key"],
    )
    app = Starlette(
        routes=[route for prefix in PREFIXES for route in _routes(prefix, buckets)],
        exception_handlers={HTTPException: _unrouted},
    )
    app.router.redirect_slashes = False
    return app


def _routes(prefix: str, buckets: Buckets) -> list[Route]:
    bucket, feature = prefix + "/buckets/{bucket}", prefix + "/buckets/{bucket}/{fname}"
    table: list[tuple[str, str, Action]] = [
        ("POST", prefix + "/buckets", _create_bucket),
        ("GET", bucket, _describe_bucket),
        ("PATCH", bucket, _patch_bucket),
        ("DELETE", bucket, _delete_bucket),
        ("POST", bucket, _create_feature),
        ("GET", feature, _read_feature),
        ("PATCH", feature, _patch_feature),
        ("DELETE", feature, _delete_feature),
    ]
    return [Route(path, _endpoint(buckets, action), methods=[m]) for m, path, action in table]


@dataclass(frozen=True)
class Call:
    """One request: the names in its path, its headers and query, and its whole body."""

    request: Request
    body: bytes

    @property
    def bucket(self) -> str:
        """Return the bucket's name in the path."""
        return self.request.path_params["bucket"]

    @property
    def fname(self) -> str:
        """Return the feature's name in the path."""
        return self.request.path_params["fname"]

    @property
    def token(self) -> str | None:
        """Return the received key or token, None if there is no such header."""
        header = self.request.headers.get("Authorization")
        if header is None:
            return None
        words = header.split(" ")
        if len(words) != 2 or not words[1]:
            raise server_error("the Authorization header must be 'Bearer <token>'.")
        return normalised(words[1])

    def json(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object that is not empty."""
        return {name: member.value for name, member in self.members().items()}

    def members(self) -> dict[str, Value]:
        """Return the members of the body, which must be a JSON object that is not empty."""
        mime = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if mime != JSON_TYPE and not (mime.startswith("application/") and mime.endswith("+json")):
            raise Failure(415, f"Unsupported Media Type: the body must be {JSON_TYPE}.")
        try:
            found = members(self.body)
        except ValueError:
            raise Failure(400, "Bad Request: the body is not JSON that can be read.") from None
        except TypeError:
            found = {}
        if not found:
            raise server_error("the body must be a JSON object that is not empty.")
        return found


Action = Callable[[Buckets, Call], Response]


def _endpoint(buckets: Buckets, action: Action) -> Callable:
    async def endpoint(request: Request) -> Response:
        try:
            call = Call(request, await request.body())
            return await run_in_threadpool(action, buckets, call)
        except Failure as failure:
            return PlainTextResponse(failure.text, failure.status)
        except RecursionError:
            return PlainTextResponse("Bad Request: the JSON is nested too deeply.", 400)
        except ClientDisconnect:
            # Nobody is there to read this, and nothing was done.
            return Response(status_code=400)

    return endpoint


async def _unrouted(request: Request, error: HTTPException) -> Response:
    # An answer before the body was taken looks like a broken connection to many clients.
    with contextlib.suppress(ClientDisconnect):
        await request.body()
    return PlainTextResponse(error.detail, error.status_code, error.headers)


def _create_bucket(buckets: Buckets, call: Call) -> Response:
    key = call.token
    if key is None:
        raise server_error("creating a bucket needs the global key.")
    buckets.check_key(key)
    body = call.json()
    return PlainTextResponse(buckets.create_bucket(body.get("uuid"), body.get("metadata")))


def _describe_bucket(buckets: Buckets, call: Call) -> Response:
    # The real service sorts all keys: a tree comes back in alphabetical order.
    text = json.dumps(buckets.describe_bucket(call.bucket), sort_keys=True)
    return Response(text, media_type=JSON_TYPE)


def _patch_bucket(buckets: Buckets, call: Call) -> Response:
    buckets.check_token(call.bucket, call.token)
    body = call.json()
    if "metadata" not in body:
        raise server_error("the body holds no metadata.")
    return PlainTextResponse(buckets.patch_bucket(call.bucket, call.token, body["metadata"]))


def _delete_bucket(buckets: Buckets, call: Call) -> Response:
    return PlainTextResponse(buckets.delete_bucket(call.bucket, call.token))


def _create_feature(buckets: Buckets, call: Call) -> Response:
    buckets.check_token(call.bucket, call.token)
    body = call.members()
    feature = feature_of(body)
    fname = body["fname"].value if "fname" in body else None
    return PlainTextResponse(buckets.create_feature(call.bucket, call.token, fname, feature))


def _read_feature(buckets: Buckets, call: Call) -> Response:
    content = buckets.read_feature(call.bucket, call.fname)
    headers = {}
    if call.request.query_params.get("download", "").lstrip("0"):
        headers["Content-Disposition"] = _attachment(f"{call.fname}.json")
    return Response(content, media_type=JSON_TYPE, headers=headers)


def _attachment(file_name: str) -> str:
    encoded = quote(file_name)
    if encoded == file_name:
        return f"attachment; filename={file_name}"
    return f"attachment; filename*=UTF-8''{encoded}"


def _patch_feature(buckets: Buckets, call: Call) -> Response:
    buckets.check_token(call.bucket, call.token)
    feature = feature_of(call.members())
    text = buckets.patch_feature(call.bucket, call.token, call.fname, feature)
    return PlainTextResponse(text)


def _delete_feature(buckets: Buckets, call: Call) -> Response:
    return PlainTextResponse(buckets.delete_feature(call.bucket, call.token, call.fname))
