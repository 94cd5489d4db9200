"""The secrets of the atlas service: the key that creates buckets, and one token per bucket.

They come from the environment, then from the official client's own file, so that notebooks
and this project find the same tokens. The embedded service has a file of its own inside the
store, and looks at no environment: a rehearsal never touches a real token.

An entry of the file that this project made says `created: false` until the service has the
bucket. So a bucket that was removed from the service is not mistaken for one whose creation
was interrupted. It also says which service it is of: the client's file has one entry per name,
so the token of a bucket of that name on another service goes to a file beside it.
"""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from brainpublish.atlas.endpoint import REMOTE, AtlasEndpoint, endpoint_id
from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal

GLOBAL_KEY_VARIABLE = "ATLAS_GLOBAL_KEY"
TOKEN_VARIABLE = "ATLAS_BUCKET_TOKEN"
CLIENT_FILE = Path(".ibl", "custom_features.json")
PRIVATE = 0o600
SERVICE = "service"  # in an entry: which service its bucket is on


@dataclass(frozen=True)
class BucketToken:
    """A bucket's token, where it was found, and whether its bucket was made already."""

    value: str = field(repr=False)
    source: str
    created: bool


def client_file() -> Path:
    """Return the official client's file in the user's home."""
    return Path.home() / CLIENT_FILE


def remote_atlas(api: str, website: str = "") -> AtlasEndpoint:
    """Return a remote service, with the official client's file of tokens."""
    host, service = urlsplit(api).netloc, endpoint_id(api)
    return AtlasEndpoint(REMOTE, api, website, host, service, client_file(), global_key)


def global_key() -> str | None:
    """Return the key that creates buckets on a remote service, or None."""
    return _variable(GLOBAL_KEY_VARIABLE) or _text(_read(client_file()).get("global_key"))


def find_token(endpoint: AtlasEndpoint, bucket: str) -> BucketToken | None:
    """Return a bucket's token, first found wins, or None."""
    from_environment = _variable(TOKEN_VARIABLE) if endpoint.kind == REMOTE else None
    if from_environment:
        return BucketToken(from_environment, f"environment variable {TOKEN_VARIABLE}", False)
    for path in (endpoint.tokens_file, side_file(endpoint.tokens_file)):
        entry = _entry(endpoint.id, _read(path), bucket)
        if token := _text(entry.get("token")):
            return BucketToken(token, file_name(path), entry.get("created", True))
    return None


def keep_token(endpoint: AtlasEndpoint, bucket: str) -> str:
    """Return the token for a bucket that is about to be created, stored before it is used.

    A token that was found is kept as it is; else a new one is made.
    """
    known = find_token(endpoint, bucket)
    path = _file_for(endpoint, bucket)
    with _changing(path) as content:
        held = _text(_entry(endpoint.id, content, bucket).get("token"))
        token = known.value if known else held or secrets.token_hex(20)
        entry = content["buckets"].setdefault(_key(path, endpoint, bucket), {})
        entry |= {"token": token, "created": False, SERVICE: endpoint.id}
    return token


def mark_created(endpoint: AtlasEndpoint, bucket: str) -> None:
    """Note in the token file that the service has the bucket, if the file knows it."""
    path = _file_for(endpoint, bucket)
    if _entry(endpoint.id, _read(path), bucket).get("created") is not False:
        return
    with _changing(path) as content:
        content["buckets"][_key(path, endpoint, bucket)]["created"] = True


def side_file(tokens_file: Path) -> Path:
    """Return the file of tokens of buckets whose names are taken in the client's own file."""
    return tokens_file.with_name("brainpublish_buckets.json")


def _file_for(endpoint: AtlasEndpoint, bucket: str) -> Path:
    """Return the file that holds, or shall hold, a bucket's token."""
    own = _buckets(_read(endpoint.tokens_file)).get(bucket, {})
    ours = own.get(SERVICE, endpoint.id) == endpoint.id
    return endpoint.tokens_file if ours else side_file(endpoint.tokens_file)


def _key(path: Path, endpoint: AtlasEndpoint, bucket: str) -> str:
    return bucket if path == endpoint.tokens_file else _side_key(endpoint.id, bucket)


def _side_key(service: str, bucket: str) -> str:
    return f"{service}/{bucket}"


def _entry(service: str, content: dict, bucket: str) -> dict:
    """Return a bucket's entry in the client's file or in the one beside it, if of the service.

    An entry without a service was made by the official client, which knows one service only.
    """
    held = _buckets(content)
    beside = held.get(_side_key(service, bucket))
    own = held.get(bucket, {})
    return beside or (own if own.get(SERVICE, service) == service else {})


def import_token(endpoint: AtlasEndpoint, bucket: str, token: str) -> str:
    """Keep a bucket's token that somebody shared, and return the name of the file it is in.

    Raises Refusal, and keeps nothing, if another token of the bucket is known.
    """
    path = _file_for(endpoint, bucket)
    with _changing(path) as content:
        known = _text(_entry(endpoint.id, content, bucket).get("token"))
        if known not in (None, token):
            raise Refusal(
                f"{file_name(path)} holds another token of {bucket}. Remove that entry first if "
                "it is wrong; nothing was taken over."
            )
        entry = content["buckets"].setdefault(_key(path, endpoint, bucket), {})
        entry |= {"token": token, SERVICE: endpoint.id, "created": entry.get("created", True)}
    return file_name(path)


def shared_token(text: str, bucket: str) -> str:
    """Return a bucket's token out of a text: the token itself, or a file of the client's form.

    Raises Refusal if there is none. The message never shows the text.
    """
    try:
        content = json.loads(text)
    except ValueError:
        content = text
    if isinstance(content, dict):
        entry = _buckets(content).get(bucket)
        token = _text(entry.get("token")) if isinstance(entry, dict) else None
    else:
        token = text.strip()
    if not token or len(token.split()) != 1:
        raise Refusal(
            f"There is no token of {bucket} in what was given: expected the token alone, or a "
            "file of the official client's form."
        )
    return token.lower()


def missing_atlas_secrets(destination: dict, buckets: Sequence[str]) -> list[str]:
    """Say which secrets a destination lacks; an empty list says that a run can begin.

    Looks at the environment and the client's file only. A remote destination needs a token
    for each bucket, or else the global key, with which a missing bucket is created.
    """
    if destination["kind"] != REMOTE or _variable(TOKEN_VARIABLE):
        return []
    try:
        key, service = global_key(), endpoint_id(destination["api"])
        files = [_read(path) for path in (client_file(), side_file(client_file()))]
    except Refusal as refusal:
        return [str(refusal)]
    if key:
        return []
    return [
        f"No token for the bucket {bucket}, and no global key to create it with. "
        f"{looked_at()} Set {TOKEN_VARIABLE} to the bucket's token if it exists, or "
        f"{GLOBAL_KEY_VARIABLE} to the key that the service's documentation publishes."
        for bucket in buckets
        if not any(_text(_entry(service, content, bucket).get("token")) for content in files)
    ]


def looked_at() -> str:
    """Say where the secrets of a remote service are looked for."""
    return (
        f"Looked at the environment variables {TOKEN_VARIABLE} and {GLOBAL_KEY_VARIABLE}, "
        f"and at {file_name(client_file())}."
    )


def share_advice(bucket: str) -> str:
    """Say how one gets to use a bucket that somebody else made."""
    return (
        f"Ask the bucket's owner for its token (`brainpublish token export {bucket}`) and take it "
        f"over with `brainpublish token import {bucket}`, or set {TOKEN_VARIABLE}"
    )


def file_name(path: Path) -> str:
    """Return a token file's name for a message, with ~ for the home."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)


def _variable(name: str) -> str | None:
    """Return a secret of the environment as the service compares it: trimmed, lower case."""
    return os.environ.get(name, "").strip().lower() or None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _buckets(content: dict) -> dict[str, dict]:
    return content.get("buckets") or {}


def _read(path: Path) -> dict:
    """Return the content of a token file; raise Refusal if it is not as the client writes it."""
    if not path.exists():
        return {}
    try:
        content = read_json(path)
        if not all(isinstance(entry, dict) for entry in _buckets(content).values()):
            raise ValueError("an entry is no object")
    except (ValueError, AttributeError, OSError) as error:
        raise Refusal(
            f"The file of atlas tokens, {file_name(path)}, cannot be read "
            f"({type(error).__name__}). It may hold the only copy of a token: repair it, or "
            "move it away."
        ) from None
    return content


@contextmanager
def _changing(path: Path) -> Iterator[dict]:
    """Change the content of a token file: one at a time, all or nothing, readable by its owner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    with FileLock(path.with_name(f"{path.name}.lock")):
        content = _read(path)
        content["buckets"] = _buckets(content)
        yield content
        write_json(path, content, mode=PRIVATE)
