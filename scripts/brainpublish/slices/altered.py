"""What is done to slices because the config says so: which are turned, padded or cropped."""

from brainpublish.findings import Finding
from brainpublish.slices.fit import Fit
from brainpublish.slices.header import Header
from brainpublish.slices.numbers import runs_text
from brainpublish.slices.upright import UPRIGHT


def alterations_of(
    headers: dict[int, Header], fit: Fit | None, where: str
) -> tuple[list[Finding], dict[str, str]]:
    """Return findings about slices that are turned or fitted, and the same for the receipt.

    Args:
        headers: of the slices by z, upright if they are turned, of the size that they have then.
        fit: the size that they get; None if it is their own.
        where: the place that findings name.
    """
    found, decisions = [], {}
    if turns := _by_tag(headers):
        count = sum(map(len, turns.values()))
        text = f"{count} of {len(headers)} slices are turned as their orientation tags say"
        found.append(Finding("SLICE_TURNED", where, f"{text}: {_tags_text(turns, 5)}"))
        decisions["orientation"] = f"{text}: {_tags_text(turns, count)}"
    if fit is None:
        return found, decisions
    padded = [
        z for z, head in headers.items() if head.width < fit.width or head.height < fit.height
    ]
    cropped = [
        z for z, head in headers.items() if head.width > fit.width or head.height > fit.height
    ]
    decisions["fit"] = fit.text
    if padded or cropped:
        found.append(Finding("SLICES_FITTED", where, _fit_text(headers, padded, cropped, fit, 5)))
        decisions["fit"] = _fit_text(headers, padded, cropped, fit, len(headers))
    return found, decisions


def _by_tag(headers: dict[int, Header]) -> dict[int, list[int]]:
    tags = sorted({head.turn for head in headers.values()} - {UPRIGHT})
    return {tag: [z for z, head in headers.items() if head.turn == tag] for tag in tags}


def _tags_text(turns: dict[int, list[int]], limit: int) -> str:
    return "; ".join(f"tag {tag} at z = {runs_text(z, limit)}" for tag, z in turns.items())


def _fit_text(headers: dict[int, Header], padded: list, cropped: list, fit: Fit, limit: int) -> str:
    parts = [
        f"{len(z)} of {len(headers)} slices {done} (z = {runs_text(z, limit)})"
        for z, done in ((padded, "padded with zeros"), (cropped, "cropped"))
        if z
    ]
    widths = [head.width for head in headers.values()]
    heights = [head.height for head in headers.values()]
    span = f"files are {min(widths)} to {max(widths)} wide, {min(heights)} to {max(heights)} high"
    return f"{fit.text}: {', '.join(parts)}; {span}"
