"""The REST API of the atlas features service: one method per request, nothing else.

Requests run one after the other: on the real service each read of a feature rewrites the
bucket's metadata without a lock, and parallel reads fail or lose a change.
"""

import json
import logging
import random
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    wait_exponential,
)

from brainpublish.files import compact_json
from brainpublish.findings import Refusal, count_text
from brainpublish.pauses import MayPass, asked_in, asks_for_more_than, may_pass

log = logging.getLogger(__name__)

TIMEOUT = (10, 120)  # seconds: to connect, between two bytes of an answer
ATTEMPTS = 6
TOO_MANY = 429
JSON_HEADER = {"Content-Type": "application/json"}
THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
LONGEST_PAUSE = 20.0  # seconds, as all below
LONGEST_ASKED = 60.0
"""How long a pause the service may ask for and have it waited for."""
SHOWN_TEXT = 200


class Unauthorized(Refusal):
    """The service refused the key or the token (401)."""


class NotFound(Refusal):
    """The service knows no such bucket or feature (404)."""


class Conflict(Refusal):
    """The service has something of this name already (409)."""


class Unfinished(Refusal):
    """The service did not do something now, and may do it later."""


class _Bearer(requests.auth.AuthBase):
    """Sends one token. Given as auth, so that no .netrc file can replace it."""

    def __init__(self, token: str | None):
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class AtlasClient:
    """Requests to one service. What may pass is tried again, after the pause the service asks for.

    All methods raise `Unauthorized`, `NotFound`, `Conflict`, `Unfinished` for what may pass but
    did not, or a plain `Refusal` for anything else that the service does not do. `pause` is the
    first pause before a second attempt, in seconds; each next one is twice as long.
    """

    def __init__(self, api: str, pause: float = 0.5):
        self.api = api if api.endswith("/") else api + "/"
        self.host = urlsplit(api).netloc
        self.pause = pause
        self._session = requests.Session()
        # A proxy that the environment names cannot reach a service on this machine.
        self._session.trust_env = urlsplit(api).hostname not in THIS_MACHINE

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> "AtlasClient":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def bucket(self, bucket: str) -> dict[str, Any]:
        """Return a bucket's `features` {name: {short_desc, unit}} and its `metadata`."""
        answer = self._read(f"buckets/{_quoted(bucket)}")
        if not all(isinstance(answer.get(key), dict) for key in ("features", "metadata")):
            raise self._not_ours()
        return answer

    def create_bucket(self, bucket: str, metadata: dict, global_key: str) -> None:
        """Create a bucket; `metadata` must hold its token."""
        self._write("POST", "buckets", global_key, {"uuid": bucket, "metadata": metadata})

    def patch_bucket(self, bucket: str, metadata: dict, token: str) -> None:
        """Replace the given keys of a bucket's metadata."""
        self._write("PATCH", f"buckets/{_quoted(bucket)}", token, {"metadata": metadata})

    def create_feature(self, bucket: str, name: str, payload: dict, token: str) -> None:
        """Create a feature of `feature_data`, `short_desc` and `unit`."""
        self._write("POST", f"buckets/{_quoted(bucket)}", token, {"fname": name, **payload})

    def feature(self, bucket: str, name: str) -> dict[str, Any]:
        """Return a feature's `feature_data`, `short_desc` and `unit`."""
        return self._read(f"buckets/{_quoted(bucket)}/{_quoted(name)}")

    def patch_feature(self, bucket: str, name: str, payload: dict, token: str) -> None:
        """Replace a feature as a whole."""
        self._write("PATCH", f"buckets/{_quoted(bucket)}/{_quoted(name)}", token, payload)

    def delete_feature(self, bucket: str, name: str, token: str) -> None:
        """Remove a feature."""
        self._write("DELETE", f"buckets/{_quoted(bucket)}/{_quoted(name)}", token, None)

    def _read(self, path: str) -> dict[str, Any]:
        response = self._ask("GET", path, None, None)
        try:
            answer = _parsed(response)
        except ValueError:
            raise self._not_ours() from None
        if not isinstance(answer, dict):
            raise self._not_ours()
        return answer

    def _write(self, method: str, path: str, token: str, body: dict | None) -> None:
        self._ask(method, path, token, body)

    def _ask(self, method: str, path: str, token: str | None, body: dict | None):
        retrying = Retrying(
            stop=stop_any(stop_after_attempt(ATTEMPTS), asks_for_more_than(LONGEST_ASKED)),
            wait=self._pause,
            retry=retry_if_exception_type(MayPass),
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            return retrying(self._ask_once, method, path, token, body)
        except MayPass as failure:
            tries = retrying.statistics["attempt_number"]
            raise Unfinished(
                f"The atlas service {self.host} did not do {method} /{path} in "
                f"{count_text(tries, 'attempt')}: {failure}. What was accepted before is recorded: "
                "run the same command again later to go on from here."
            ) from None

    def _pause(self, state: RetryCallState) -> float:
        asked = asked_in(state)
        usual = wait_exponential(self.pause, LONGEST_PAUSE)(state) if asked is None else asked
        return usual + random.uniform(0, self.pause)

    def _ask_once(self, method: str, path: str, token: str | None, body: dict | None):
        try:
            response = self._session.request(
                method,
                self.api + path,
                data=None if body is None else compact_json(body),
                headers={} if body is None else JSON_HEADER,
                auth=_Bearer(token),
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise MayPass(f"no answer ({type(error).__name__})") from None
        except requests.exceptions.ChunkedEncodingError:
            raise MayPass("its answer broke off") from None
        except requests.RequestException as error:
            raise Refusal(
                f"Cannot ask the atlas service {self.host}: {type(error).__name__}. "
                "Check `api` in the section `atlas` of the config."
            ) from None
        return self._checked(response, f"{method} /{path}", token)

    def _checked(self, response: requests.Response, asked: str, token: str | None):
        if response.status_code == 200:
            return response
        said = _plain(response, token)
        if response.status_code >= 500 or response.status_code == TOO_MANY:
            raise may_pass(f"it answered {response.status_code}{said}", response)
        if 300 <= response.status_code < 400:
            raise self._not_ours()
        kind = {401: Unauthorized, 404: NotFound, 409: Conflict}.get(response.status_code, Refusal)
        raise kind(
            f"The atlas service {self.host} answered {response.status_code} to {asked}{said}."
        )

    def _not_ours(self) -> Refusal:
        return Refusal(
            f"What answers at {self.api} is not an atlas features service: a login page, a "
            "proxy, or another address? Check `api` in the section `atlas` of the config."
        )


def _parsed(response: requests.Response) -> Any:
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        # NaN, which others may have stored, is known to the slower parser alone.
        return json.loads(response.content)


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _plain(response: requests.Response, token: str | None) -> str:
    """Return what a refusal says, if it is short plain text; never the token."""
    text = response.text.strip()
    if not text or "<" in text or len(text) > SHOWN_TEXT:
        return ""
    return f" ({text.replace(token, '***') if token else text})"


def _log_retry(state: RetryCallState) -> None:
    log.warning(
        "attempt %d: %s; trying again in %.1f s",
        state.attempt_number,
        state.outcome.exception(),
        state.next_action.sleep,
    )
