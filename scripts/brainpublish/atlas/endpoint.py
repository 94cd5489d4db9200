"""Where an atlas features service is, and where its secrets are kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

LOCAL, REMOTE = "local", "remote"


@dataclass(frozen=True)
class AtlasEndpoint:
    """A features service to talk to.

    `id` names it in ledgers, `host` in receipts; `website` is empty for the embedded service.
    `tokens_file` is the official client's file of tokens; `global_key` returns the key that
    creates buckets, or None if there is none.
    """

    kind: str
    api: str
    website: str
    host: str
    id: str
    tokens_file: Path = field(repr=False)
    global_key: Callable[[], str | None] = field(repr=False)

    def link(self, bucket: str) -> str:
        """Return where a person finds a bucket: the site, or the folder in the local store."""
        if not self.website:
            return f"local:atlas/{bucket}"
        return f"{self.website}?{urlencode({'buckets': bucket, 'bucket': bucket})}"


def endpoint_id(api: str) -> str:
    """Return a file name for a service, made of its address."""
    parts = urlsplit(api)
    path = parts.path.strip("/").replace("/", "-")
    text = "-".join(part for part in (parts.scheme, parts.netloc, path) if part)
    return "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in text)
