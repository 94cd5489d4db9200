"""The OpenAPI description of the service, made from its table of endpoints."""

import re
from collections.abc import Iterable

from brainpublish.local.bossdb.service import Endpoint

PARAMETER = re.compile(r"{(\w+)(?::(\w+))?}")
PATTERNS = {"": "^[A-Za-z0-9_-]{1,255}$", "digit": "^[0-9]$", "digits": "^[0-9]+$"}
RANGE_PATTERN = "^[0-9]+:[0-9]+$"


def description(endpoints: Iterable[Endpoint]) -> dict:
    """Return the OpenAPI 3.1 description; a handler's docstring is its summary."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Embedded BossDB service", "version": "1"},
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"}
            }
        },
        "security": [{"token": []}, {}],
        "paths": {
            "/v1" + PARAMETER.sub(r"{\1}", endpoint.path): _path(endpoint) for endpoint in endpoints
        },
    }


def _path(endpoint: Endpoint) -> dict:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": PATTERNS.get(form, RANGE_PATTERN)},
        }
        for name, form in PARAMETER.findall(endpoint.path)
    ]
    operations = {
        method.lower(): {
            "summary": (handler.__doc__ or "").strip().partition("\n")[0],
            "responses": {"default": {"description": "Success, or an error as JSON"}},
        }
        for method, handler in endpoint.handlers.items()
    }
    return {"parameters": parameters, **operations}
