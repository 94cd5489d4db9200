"""The secrets of the atlas service: the key that creates buckets, and one token per bucket.

They come from the environment, then from the official client's own file, so that notebooks
and this project find the same tokens. The embedded service has a file of its own inside the
store, and looks at no environment: a rehearsal never touches a real token.

An entry of the file that this project made says `created: false` until the service has the
bucket. So a bucket that was removed from the service is not mistaken for one whose creation
was interrupted.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from brainpublish.atlas.endpoint import REMOTE, AtlasEndpoint
from brainpublish.files import read_json, write_json
from brainpublish.findings import Refusal

GLOBAL_KEY_VARIABLE = "ATLAS_GLOBAL_KEY"
TOKEN_VARIABLE = "ATLAS_BUCKET_TOKEN"
CLIENT_FILE = Path(".ibl", "custom_features.json")
PRIVATE = 0o600


@dataclass(frozen=True)
class BucketToken:
    """A bucket's token, where it was found, and whether its bucket was made already."""

    value: str = field(repr=False)
    source: str
    created: bool


def client_file() -> Path:
    """Return the official client's file in the user's home."""
    return Path.home() / CLIENT_FILE


def global_key() -> str | None:
    """Return the key that creates buckets on a remote service, or None."""
    return _variable(GLOBAL_KEY_VARIABLE) or _text(_read(client_file()).get("global_key"))


def find_token(endpoint: AtlasEndpoint, bucket: str) -> BucketToken | None:
    """Return a bucket's token, first found wins, or None."""
    from_environment = _variable(TOKEN_VARIABLE) if endpoint.kind == REMOTE else None
    if from_environment:
        return BucketToken(from_environment, f"environment variable {TOKEN_VARIABLE}", False)
    entry = _buckets(_read(endpoint.tokens_file)).get(bucket, {})
    token = _text(entry.get("token"))
    if token is None:
        return None
    return BucketToken(token, file_name(endpoint.tokens_file), entry.get("created", True))


def keep_token(endpoint: AtlasEndpoint, bucket: str) -> str:
    """Return the token for a bucket that is about to be created, stored before it is used.

    A token that was found is kept as it is; else a new one is made.
    """
    known = find_token(endpoint, bucket)
    with _changing(endpoint.tokens_file) as content:
        entry = content["buckets"].setdefault(bucket, {})
        token = known.value if known else _text(entry.get("token")) or secrets.token_hex(20)
        entry |= {"token": token, "created": False}
    return token


def mark_created(endpoint: AtlasEndpoint, bucket: str) -> None:
    """Note in the token file that the service has the bucket, if the file knows it."""
    if _buckets(_read(endpoint.tokens_file)).get(bucket, {}).get("created") is not False:
        return
    with _changing(endpoint.tokens_file) as content:
        content["buckets"][bucket]["created"] = True


def export_tokens(tokens_file: Path, buckets: Sequence[str], target: Path) -> None:
    """Write the tokens of some buckets to a new file that only its owner can read.

    The file has the official client's form. Raises Refusal if a token is not known, or if the
    target exists.
    """
    known = _buckets(_read(tokens_file))
    unknown = [bucket for bucket in buckets if not _text(known.get(bucket, {}).get("token"))]
    if unknown:
        raise Refusal(f"{file_name(tokens_file)} holds no token of {', '.join(unknown)}.")
    if target.exists():
        raise Refusal(f"{target} exists already. Name a new file.")
    tokens = {bucket: {"token": known[bucket]["token"]} for bucket in buckets}
    write_json(target, {"buckets": tokens}, mode=PRIVATE)


def import_tokens(source: Path, tokens_file: Path) -> list[str]:
    """Take over the tokens of an exported file, and return the names of their buckets.

    Raises Refusal, and takes nothing over, if the file holds no token, or another one than is
    known for a bucket.
    """
    given = {
        bucket: token
        for bucket, entry in _buckets(_read(source)).items()
        if (token := _text(entry.get("token")))
    }
    if not given:
        raise Refusal(f"{source} holds no token.")
    with _changing(tokens_file) as content:
        known = content["buckets"]
        others = [
            bucket
            for bucket, token in given.items()
            if known.get(bucket, {}).get("token", token) != token
        ]
        if others:
            raise Refusal(
                f"{file_name(tokens_file)} holds other tokens of {', '.join(others)}. Remove "
                "these entries first if they are wrong; nothing was taken over."
            )
        for bucket, token in given.items():
            known.setdefault(bucket, {})["token"] = token
    return sorted(given)


def missing_atlas_secrets(destination: dict, buckets: Sequence[str]) -> list[str]:
    """Say which secrets a destination lacks; an empty list says that a run can begin.

    Looks at the environment and the client's file only. A remote destination needs a token
    for each bucket, or else the global key, with which a missing bucket is created.
    """
    if destination["kind"] != REMOTE or _variable(TOKEN_VARIABLE):
        return []
    try:
        key, known = global_key(), _buckets(_read(client_file()))
    except Refusal as refusal:
        return [str(refusal)]
    if key:
        return []
    return [
        f"No token for the bucket {bucket}, and no global key to create it with. "
        f"{looked_at()} Set {TOKEN_VARIABLE} to the bucket's token if it exists, or "
        f"{GLOBAL_KEY_VARIABLE} to the key that the service's documentation publishes."
        for bucket in buckets
        if not _text(known.get(bucket, {}).get("token"))
    ]


def looked_at() -> str:
    """Say where the secrets of a remote service are looked for."""
    return (
        f"Looked at the environment variables {TOKEN_VARIABLE} and {GLOBAL_KEY_VARIABLE}, "
        f"and at {file_name(client_file())}."
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
