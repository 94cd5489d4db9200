"""The three shapes in which the service says no, with the codes of the BossDB API."""

from enum import IntEnum


class Code(IntEnum):
    """Error codes of the BossDB API, version 1."""

    INVALID_URL = 1000
    INVALID_CUTOUT_ARGUMENTS = 1001
    TYPE_ERROR = 1002
    INVALID_POST_ARGUMENT = 1003
    INVALID_ARGUMENT = 1005
    BAD_REQUEST = 1006
    REQUEST_TOO_LARGE = 2000
    UNDECODABLE = 2001
    SHAPE_MISMATCH = 2002
    WRONG_CHANNEL_KIND = 2003
    INVALID_STATE = 2006
    MISSING_ROLE = 3000
    MISSING_PERMISSION = 3001
    THROTTLED = 3004
    RESOURCE_NOT_FOUND = 4000
    GROUP_NOT_FOUND = 4001
    USER_NOT_FOUND = 4002
    HAS_CHILDREN = 4003
    OBJECT_NOT_FOUND = 4004
    MARKED_FOR_DELETION = 4005
    GROUP_EXISTS = 6001
    SYSTEM_ERROR = 9001
    UNSUPPORTED_VERSION = 9003


STATUS = {
    Code.REQUEST_TOO_LARGE: 413,
    Code.INVALID_STATE: 409,
    Code.MISSING_ROLE: 403,
    Code.MISSING_PERMISSION: 403,
    Code.THROTTLED: 429,
    Code.RESOURCE_NOT_FOUND: 404,
    Code.GROUP_NOT_FOUND: 404,
    Code.USER_NOT_FOUND: 404,
    Code.OBJECT_NOT_FOUND: 404,
    Code.MARKED_FOR_DELETION: 404,
    Code.GROUP_EXISTS: 404,
}


class BossError(Exception):
    """An answer `{"status", "code", "message"}`; codes without an entry in STATUS are 400."""

    def __init__(self, code: Code, message: str):
        super().__init__(message)
        self.code = code
        self.status = STATUS.get(code, 400)
        self.message = message


class DetailError(Exception):
    """An answer `{"detail"}`: what the web framework of the real service says by itself."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class ServerCrash(Exception):
    """A 500 with an HTML page, where the real service is known to crash."""


def not_found(kind: str, name: str) -> BossError:
    """Return the error for a resource that does not exist."""
    return BossError(Code.RESOURCE_NOT_FOUND, f"{kind} {name} not found")


def marked_for_deletion(name: str) -> BossError:
    """Return the error for a resource that was deleted."""
    return BossError(
        Code.MARKED_FOR_DELETION,
        f"Invalid Request. This resource {name} has been marked for deletion",
    )


def permission_missing(permission: str, name: str) -> BossError:
    """Return the error for a right that the user lacks on a resource."""
    return BossError(
        Code.MISSING_PERMISSION,
        f"This user does not have the required permissions: {permission} on {name}",
    )
