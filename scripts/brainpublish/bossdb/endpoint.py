"""Where a BossDB is, and where its token comes from.

Order of the token's places: environment BOSSDB_TOKEN, environment INTERN_TOKEN, intern's own
file if it is for the same host. There is no fallback to a public server or token.
"""

import configparser
import os
from dataclasses import dataclass, field
from pathlib import Path

from brainpublish.findings import Refusal

TOKEN_VARIABLES = ("BOSSDB_TOKEN", "INTERN_TOKEN")
INTERN_FILE = Path(".intern", "intern.cfg")


@dataclass(frozen=True)
class Endpoint:
    """A BossDB to talk to. `id` names it in ledgers and receipts; `kind` is local or remote."""

    kind: str
    protocol: str
    host: str
    id: str
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """Base address, without a closing slash."""
        return f"{self.protocol}://{self.host}"


def remote_endpoint(protocol: str, host: str) -> Endpoint:
    """Return the endpoint of a remote BossDB, with the user's token.

    Raises:
        Refusal: if no token is found; says which variables and files were looked at.
    """
    token = _find_token(host)
    if token is None:
        raise Refusal(_missing_token_text(protocol, host))
    return Endpoint("remote", protocol, host, f"{protocol}-{host}".replace(":", "-"), token)


def _find_token(host: str) -> str | None:
    """Return the token for a host, first found wins, or None."""
    for variable in TOKEN_VARIABLES:
        token = os.environ.get(variable, "").strip()
        if token:
            return _checked(token, f"environment variable {variable}")
    return _token_in_intern_file(host)


def _missing_token_text(protocol: str, host: str) -> str:
    """Say what was looked at for a token, and what to do."""
    looked = " and ".join(f"environment variable {name}" for name in TOKEN_VARIABLES)
    return (
        f"No BossDB token for {host}. Looked at {looked}, and at ~/{INTERN_FILE.as_posix()} "
        f"(used only if its host is {host}). Set BOSSDB_TOKEN to your token; the page "
        f"{protocol}://{host}/v1/mgmt/token shows it."
    )


def _token_in_intern_file(host: str) -> str | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(Path.home() / INTERN_FILE, encoding="utf-8")
    except (configparser.Error, UnicodeError) as error:
        raise Refusal(
            f"~/{INTERN_FILE.as_posix()} is no readable INI file: {type(error).__name__}. "
            "Correct it, or set BOSSDB_TOKEN instead."
        ) from None
    for section in ("Default", "Volume Service", "Project Service"):
        if parser.get(section, "host", fallback="").strip() == host:
            token = parser.get(section, "token", fallback="").strip()
            if token:
                return _checked(token, f"~/{INTERN_FILE.as_posix()}")
    return None


def _checked(token: str, place: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token or token[0] in "'\"":
        raise Refusal(
            f"The BossDB token in {place} holds blanks, quotes or characters that no token "
            "has. Copy it again, without quotes."
        )
    return token
