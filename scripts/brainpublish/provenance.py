"""With which software, and when: what every receipt says in the same words."""

import importlib.metadata
import platform
from datetime import UTC, datetime

import brainpublish


def software(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of this package, Python and some packages."""
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "brainpublish": brainpublish.__version__,
        "python": platform.python_version(),
        **versions,
    }


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
