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
