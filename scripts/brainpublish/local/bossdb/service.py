"""What every request handler is given: the service's parts and one call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse, Response

from brainpublish.local.bossdb.auth import RESOURCE_MANAGER, Tokens, User
from brainpublish.local.bossdb.conditions import Conditions
from brainpublish.local.bossdb.database import Database
from brainpublish.local.bossdb.errors import BossError, Code, DetailError
from brainpublish.local.bossdb.fields import NAME
from brainpublish.local.bossdb.pending import PendingWrites
from brainpublish.local.bossdb.volumes import Volumes

NAME_PARAMETERS = ("collection", "experiment", "channel", "frame", "group")


@dataclass(frozen=True)
class Service:
    """The parts of the service that handlers work with."""

    database: Database
    volumes: Volumes
    tokens: Tokens
    conditions: Conditions
    pending: PendingWrites
    wake_downsampling: Callable[[], None]


@dataclass(frozen=True)
class Call:
    """One request, its body read whole. `user` is None for an anonymous call."""

    service: Service
    method: str
    path: Mapping[str, str]
    query: QueryParams
    headers: Headers
    body: bytes
    user: User | None = None

    @property
    def database(self) -> Database:
        """The service's database."""
        return self.service.database

    @cached_property
    def data(self) -> dict:
        """The JSON object in the body; an empty body is an empty object.

        Raises DetailError 415 for another content type and 400 for a body that is not JSON,
        BossError 400/1003 for JSON that is not an object.
        """
        if not self.body:
            return {}
        content_type = self.headers.get("content-type", "application/json").partition(";")[0]
        if content_type.strip().lower() != "application/json":
            raise DetailError(415, f'Unsupported media type "{content_type}" in request.')
        try:
            value = json.loads(self.body, parse_constant=_refuse_constant)
            # Half of a character pair can be written in JSON but neither stored nor answered.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as problem:
            raise DetailError(400, f"JSON parse error - {type(problem).__name__}") from problem
        if not isinstance(value, dict):
            raise BossError(Code.INVALID_POST_ARGUMENT, "The body must be a JSON object")
        return value

    def check_names(self) -> None:
        """Refuse names in the path that no resource can have, with 400/1003."""
        for parameter in NAME_PARAMETERS:
            name = self.path.get(parameter)
            if name is not None and not NAME.fullmatch(name):
                raise BossError(
                    Code.INVALID_POST_ARGUMENT,
                    f"Invalid name {name!r}: 1 to 255 ASCII letters, digits, _ and - are allowed",
                )

    def require_role(self) -> User:
        """Return the user, or raise 403/3000 if the resource-manager role is missing."""
        if self.user is None or RESOURCE_MANAGER not in self.user.roles:
            raise BossError(
                Code.MISSING_ROLE, "The user does not have the required role: resource-manager"
            )
        return self.user


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Endpoint:
    """A path with its handlers.

    `managed` methods need the resource-manager role. A `brittle` endpoint answers its
    framework errors (401, 405, 415) with a 500 page unless the client accepts JSON: the real
    cutout view fails to render them.
    """

    path: str
    handlers: Mapping[str, Handler]
    managed: frozenset[str] = field(default_factory=frozenset)
    brittle: bool = False


def reply(value: object, status: int = 200) -> Response:
    """Answer with JSON."""
    return JSONResponse(value, status)


def empty(status: int) -> Response:
    """Answer without a body."""
    return Response(status_code=status, media_type="text/html")
