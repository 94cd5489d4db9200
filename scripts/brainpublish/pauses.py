"""What may pass, and the pause that a server asks for before it is asked again."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from tenacity import RetryCallState


class MayPass(Exception):
    """A fault that may be gone at the next try.

    `asked` is how many seconds the server asks to wait before it, or None.
    """

    def __init__(self, text: str, asked: float | None = None):
        super().__init__(text)
        self.asked = asked


def may_pass(text: str, response: requests.Response) -> MayPass:
    """Return the fault that an answer is, told by a text, with the pause that it asks for."""
    asked = _seconds_asked(response.headers.get("Retry-After", ""))
    wish = "" if asked is None else f", and asks to wait {asked:.0f} s"
    return MayPass(f"{text}{wish}", asked)


def asked_in(state: RetryCallState) -> float | None:
    """Return the seconds to wait that the last try's `MayPass` holds."""
    return state.outcome.exception().asked


def asks_for_more_than(seconds: float) -> Callable[[RetryCallState], bool]:
    """Return a condition to stop: that a longer pause is asked for than is waited."""
    return lambda state: (asked_in(state) or 0) > seconds


def _seconds_asked(text: str) -> float | None:
    """Return the seconds that a Retry-After asks to wait, or None if it says nothing of use.

    It holds whole seconds or a date (RFC 9110, 10.2.3).
    """
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone is in UTC.
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
