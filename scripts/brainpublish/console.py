"""What a person at the terminal sees, if there is one still."""

import contextlib
from typing import TextIO


def say(text: str, stream: TextIO | None) -> None:
    """Write to a terminal or a pipe; one that is gone is no fault of the work."""
    if stream is None:
        return
    # A stream that was closed raises ValueError.
    with contextlib.suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()


def duration_text(seconds: float) -> str:
    """Return a duration as people say it, to the second below an hour."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
