"""Numbers of slices as findings name them."""

from collections.abc import Sequence


def runs_text(numbers: Sequence[int], limit: int = 5) -> str:
    """Return sorted numbers as text with their runs: 1 to 3, 7, 9 to 12."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(a) if a == b else f"{a} to {b}" for a, b in runs[:limit]]
    return ", ".join(shown) + (f" and {len(runs) - limit} more" if len(runs) > limit else "")
