"""The pause that a server asks for before it is asked again."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests


def seconds_asked(response: requests.Response) -> float | None:
    """Return the seconds that a Retry-After asks to wait, or None if it says nothing of use.

    It holds whole seconds or a date (RFC 9110, 10.2.3).
    """
    text = response.headers.get("Retry-After", "")
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone is in UTC.
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def wish_text(asked: float | None) -> str:
    """Return how a pause that is asked for is told, after what was answered."""
    return "" if asked is None else f", and asks to wait {asked:.0f} s"
