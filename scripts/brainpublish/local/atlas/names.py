"""Names of buckets and features: which one a request means, and which can be file names."""

from collections.abc import Iterable
from typing import Any

METADATA_NAME = "_bucket"
SUFFIX = ".json"
# What Linux, macOS and Windows file systems take for one file name.
MAX_FILE_NAME_BYTES = 255


def meant_bucket(name: str, existing: Iterable[str]) -> str | None:
    """Return the bucket that a request for `name` reaches, or None.

    The real service looks for a folder that is called `name`, else for one whose name begins
    with `name_` or ends with `_name`, since a folder may carry an alias. So a bucket can be
    served under a name that is not its own; names without underscores avoid that.
    """
    existing = set(existing)
    if name in existing:
        return name
    aliased = [
        other for other in existing if other.startswith(f"{name}_") or other.endswith(f"_{name}")
    ]
    return min(aliased, default=None)


def bucket_name_problem(name: Any) -> str:
    """Say why `name` cannot be a new bucket's name; an empty text says that it can."""
    if name in (".", ".."):
        return "this name means a folder, not a bucket."
    return _file_name_problem(name, "")


def feature_name_problem(name: Any) -> str:
    """Say why `name` cannot be a new feature's name; an empty text says that it can."""
    return _file_name_problem(name, SUFFIX)


def is_feature_name(name: str) -> bool:
    """Tell whether a request may reach a feature of this name: never the bucket's metadata."""
    return name != METADATA_NAME and not feature_name_problem(name)


def _file_name_problem(name: Any, suffix: str) -> str:
    if not isinstance(name, str) or not name:
        return "the name must be a text that is not empty."
    if "/" in name or "\0" in name:
        return "the name must not hold a slash or a null character."
    try:
        length = len((name + suffix).encode())
    except UnicodeEncodeError:
        return "the name must be valid Unicode."
    if length > MAX_FILE_NAME_BYTES:
        return f"the name is longer than {MAX_FILE_NAME_BYTES - len(suffix)} bytes."
    return ""


def listed_features(file_names: Iterable[str]) -> list[str]:
    """Return the names of features among the files of a bucket's folder, sorted.

    Names with a leading underscore are stored and served, but not listed.
    """
    features = (name.removesuffix(SUFFIX) for name in file_names if name.endswith(SUFFIX))
    return sorted(name for name in features if name and not name.startswith("_"))
