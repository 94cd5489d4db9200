"""Slices that are missing, and which mask belongs to which image slice. Numbers only."""

import collections
import itertools
from dataclasses import replace

from brainpublish.findings import Finding, count_text
from brainpublish.slices.discover import Listing, Place
from brainpublish.slices.numbers import runs_text

STOP, CLOSE, BLACK, REPEAT = "stop", "close", "black", "repeat"
DROP = "drop"


def fill_gaps(listing: Listing, gaps: str, where: str) -> Listing:
    """Find slice numbers that are missing in an image, and do as told about them.

    Args:
        listing: the image's slices.
        gaps: stop; close (the slices on both sides become neighbours); black (a slice of
            zeros is put in); repeat (the slice before is put in once more).
        where: the place that findings name.
    """
    numbers = [place.number for place in listing.places]
    if len(numbers) < 2 or None in numbers:
        return listing
    step, missing = _missing(numbers)
    if missing is None:
        text = f"numbers go from {numbers[0]} to {numbers[-1]} in uneven steps"
        return _told(listing, "SLICES_GAPS", where, text, gaps)
    if step > 1:
        note = Finding("SLICE_STEPS", where, f"numbers go up in steps of {step}")
        listing = replace(listing, findings=[*listing.findings, note])
    if not missing:
        return listing
    text = f"{len(missing)} missing between {numbers[0]} and {numbers[-1]}: {runs_text(missing)}"
    if gaps in (BLACK, REPEAT):
        listing = replace(listing, places=_filled(listing.places, missing, gaps))
    return _told(listing, "SLICES_GAPS", where, text, gaps)


def pair_with_image(
    listing: Listing, image: Listing, gaps: str, where: str, extra: str = STOP
) -> Listing:
    """Put masks in the order of the image's slices, by slice number.

    Without numbers, or with `gaps: close`, they are paired in the order in which they are.

    Args:
        listing: the masks.
        image: the image's slices.
        gaps: what becomes of image slices without a mask: see `fill_gaps`.
        where: the place that findings name.
        extra: what becomes of masks without an image slice: stop, or drop. With drop, numbers
            are taken at their word: masks that are all shifted are not moved.
    """
    masks = [place.number for place in listing.places]
    slices = [place.number for place in image.places]
    if not masks or not slices:
        return listing
    if None in masks or None in slices or gaps == CLOSE:
        return _by_position(listing, len(slices), where)
    shifts = {b - a for a, b in zip(slices, masks, strict=False)}
    if len(masks) == len(slices) and len(shifts) == 1 and (extra != DROP or shifts == {0}):
        return _by_offset(listing, slices[0], where)
    return _by_number(listing, slices, gaps, extra, where)


def _by_number(listing: Listing, slices: list[int], gaps: str, extra: str, where: str) -> Listing:
    masks = [place.number for place in listing.places]
    missing, over = sorted({*slices} - {*masks}), sorted({*masks} - {*slices})
    parts = [f"{_both_counts(len(masks), len(slices))}; paired by number"]
    parts += [f"no mask for slice {runs_text(missing)}"] if missing else []
    parts += [f"no image slice for mask {runs_text(over)}"] if over else []
    text, told = ", ".join(parts), "by number"
    drops = extra == DROP and len(over) < len({*masks})
    if (over and not drops) or (missing and gaps == STOP):
        return _with(listing, Finding("SLICES_COUNT", where, text), "by number, incomplete")
    if over:
        kept = {*slices}
        left = [place for place in listing.places if place.number in kept]
        listing = replace(listing, places=left)
        told += f", left out: {runs_text(over, len(over))}"
        listing = _with(listing, Finding("MASK_DROPPED", where, text), told)
    if not missing:
        return listing
    listing = replace(listing, places=_filled(listing.places, missing, gaps))
    return _with(listing, Finding("MASK_FILLED", where, f"{text}: {gaps}"), f"{told}, {gaps}")


def _both_counts(masks: int, slices: int) -> str:
    return f"{count_text(masks, 'mask file')}, {count_text(slices, 'image slice')}"


def _by_position(listing: Listing, slices: int, where: str) -> Listing:
    count = len(listing.places)
    if count == slices:
        return _with(listing, None, "by position")
    text = f"{_both_counts(count, slices)}, and no numbers to pair them by"
    return _with(listing, Finding("SLICES_COUNT", where, text), "by position, incomplete")


def _by_offset(listing: Listing, first: int, where: str) -> Listing:
    mask = listing.places[0].number
    if mask == first:
        return _with(listing, None, "by number")
    last = listing.places[-1].number
    text = f"masks {mask} to {last} go with image slices {first} to {last - mask + first}"
    code = "MASK_COUNTED" if {mask, first} == {0, 1} else "MASK_OFFSET"
    return _with(listing, Finding(code, where, text), f"by number, {mask - first:+d}")


def _with(listing: Listing, finding: Finding | None, decision: str) -> Listing:
    findings = [*listing.findings, *([finding] if finding else [])]
    decisions = {**listing.decisions, "pairing": decision}
    return replace(listing, findings=findings, decisions=decisions)


def _told(listing: Listing, code: str, where: str, text: str, gaps: str) -> Listing:
    finding = Finding(code, where, text)
    if gaps != STOP:
        finding = Finding("SLICES_FILLED", where, f"{text}; `gaps: {gaps}`")
    decisions = {**listing.decisions, "gaps": f"{text}: {gaps}"}
    return replace(listing, findings=[*listing.findings, finding], decisions=decisions)


def _missing(numbers: list[int]) -> tuple[int, list[int] | None]:
    """Return the usual step, and what is missing; None if the steps are uneven."""
    steps = collections.Counter(b - a for a, b in itertools.pairwise(numbers))
    step = min(steps, key=lambda each: (-steps[each], each))
    if any(each % step for each in steps):
        return step, None
    if (numbers[-1] - numbers[0]) // step > 10 * len(numbers) + 1000:
        return step, None
    held = set(numbers)
    return step, [n for n in range(numbers[0], numbers[-1], step) if n not in held]


def _filled(places: list[Place], missing: list[int], how: str) -> list[Place]:
    """Put stand-ins where numbers are missing; before the first slice there is only black."""
    held = {place.number: place for place in places}
    filled: list[Place] = []
    for number in sorted({*held, *missing}):
        if number in held:
            filled.append(held[number])
        elif how == REPEAT and filled and filled[-1].file:
            filled.append(replace(filled[-1], number=number, filled=REPEAT))
        else:
            filled.append(Place("", number=number, filled=BLACK))
    return filled
