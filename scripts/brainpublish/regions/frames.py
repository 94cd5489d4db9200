"""Tables that one step leaves for another, or for people to read: text with tabs."""

import io
from pathlib import Path

import pandas as pd

from brainpublish.files import write_text
from brainpublish.regions.aggregate import STATISTICS


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a table as tab-separated text; numbers keep all their digits."""
    text = io.StringIO()
    frame.to_csv(text, sep="\t", index=False, lineterminator="\n")
    write_text(path, text.getvalue())


def read_regions(path: str | Path) -> pd.DataFrame:
    """Read resolved regions that `write_table` wrote."""
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    # pandas' own parser of numbers may be off in the last digit; Python's is not.
    return frame.assign(
        atlas_id=[int(text) for text in frame["atlas_id"]],
        value=[float(text) for text in frame["value"]],
        rows=[int(text) for text in frame["rows"]],
        **{name: [float(text or "nan") for text in frame[name]] for name in STATISTICS},
    )
