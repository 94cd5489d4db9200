"""All that is known of a channel's slices before its slabs are made: headers, plan, doubts."""

import collections
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from brainpublish.codes import CODES
from brainpublish.files import digest_of_file, is_passing
from brainpublish.findings import Finding
from brainpublish.slices.altered import alterations_of
from brainpublish.slices.cast import cast_of, one_channel
from brainpublish.slices.colours import colours_in, confirmed_rule, proposed_rule
from brainpublish.slices.discover import Place
from brainpublish.slices.doctor import decide_rule
from brainpublish.slices.fit import fit_of, fitted
from brainpublish.slices.guarded import HEADER_LIMITS, Broken, Limits, guarded_map
from brainpublish.slices.header import Header, UnreadableSlice
from brainpublish.slices.manifest import Slice, folder_of
from brainpublish.slices.masks import BINARY, LABELS, MaskRule
from brainpublish.slices.plan import StackPlan, tiling_of
from brainpublish.slices.read import read_header, read_rows, suffix_fits
from brainpublish.slices.tiff import page_digest
from brainpublish.slices.upright import ORIENTATIONS, is_upright, upright
from brainpublish.slices.voxels import check_voxel_size

SAMPLE_LIMITS = Limits(seconds=300, memory=2**31)
_SAMPLE_ROWS = 2048
_SAMPLE_BATCH = 6
_TELLING = 3


@dataclass(frozen=True)
class Description:
    """All that is known of a channel's slices before any of them is decoded.

    `decisions` says in words what is done about slices that are turned or of another size.
    `colours` is the table to confirm, where a stack of colour-coded labels has none yet.
    """

    slices: list[Slice]
    plan: StackPlan
    findings: list[Finding]
    decisions: dict[str, str] = field(default_factory=dict)
    colours: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class _Facts:
    size: int | str
    digest: str
    header: Header | None
    fault: tuple[str, str] | None = None


# A slice like most others, and the header that its file is read by.
_Good = tuple[Place, Header]


def describe_slices(channel: dict, places: list[Place], depth: int, threads: int) -> Description:
    """Read header and digest of every slice, and plan the stack.

    Args:
        channel: a channel's plain settings (path, role, dtype, and a mask's settings).
        places: the slices in z order.
        depth: slices per slab.
        threads: slices read at once.
    """
    facts = [_turned(fact, channel) for fact in _read_all(places, threads)]
    rows = [
        _row(z, place, fact, channel["path"])
        for z, (place, fact) in enumerate(zip(places, facts, strict=True))
    ]
    found = [
        Finding(fact.fault[0], place_text(place), fact.fault[1])
        for place, fact in zip(places, facts, strict=True)
        if fact.fault
    ]
    headers = {z: fact.header for z, fact in enumerate(facts) if fact.header}
    if not headers:
        return Description(rows, StackPlan((0, 0, 0), channel["dtype"], depth), found)
    fit = fit_of(channel)
    # As the stack holds them: what differs still is a fault.
    alike = headers if fit is None else {z: fitted(head, fit) for z, head in headers.items()}
    usual = collections.Counter(alike.values()).most_common(1)[0][0]
    found += _odd_ones(alike, places, usual, channel)
    found += _notes(alike, places, usual, channel)
    named = [(place_text(places[z]), head) for z, head in headers.items()]
    found += check_voxel_size(channel, named)
    changed, decisions = alterations_of(headers, fit, channel["path"])
    found += changed
    if channel["role"] == "image":
        plan, more, colours = _plan_image(channel, len(places), depth, usual), [], []
        found += _repeated(rows, places)
    else:
        good = [(places[z], headers[z]) for z, head in alike.items() if head == usual]
        plan, more, colours = _plan_annotation(channel, good, len(places), depth, usual, threads)
    plan = replace(plan, upright=is_upright(channel), fit=fit)
    return Description(rows, plan, found + more, decisions, colours)


def _turned(fact: _Facts, channel: dict) -> _Facts:
    if fact.header is None or not is_upright(channel):
        return fact
    return replace(fact, header=upright(fact.header))


def place_text(place: Place) -> str:
    """Return the place that findings name: the file, and the page of one with many."""
    return place.file if place.page is None else f"{place.file} page {place.page + 1}"


def _read_all(places: list[Place], threads: int) -> list[_Facts]:
    results = guarded_map(_facts, places, threads, HEADER_LIMITS)
    return [
        _Facts("", "", None, ("SLICE_HOSTILE", result.message))
        if isinstance(result, Broken)
        else result
        for result in results
    ]


def _facts(place: Place) -> _Facts:
    if not place.file:
        return _Facts("", "", None)
    try:
        size, digest = Path(place.file).stat().st_size, ""
        if place.page is None:
            digest = digest_of_file(place.file)
    except OSError as error:
        if is_passing(error):
            raise
        text = f"cannot be opened: {error.strerror}"
        return _Facts("", "", None, ("SLICE_UNREADABLE", text))
    try:
        header = read_header(place.file, place.page or 0)
        if place.page is not None:
            size, digest = page_digest(Path(place.file), place.page)
        elif header.pages > 1:
            text = f"holds {header.pages} pages; one file of many must hold one slice"
            return _Facts(size, digest, None, ("SLICE_PAGES", text))
        return _Facts(size, digest, header)
    except UnreadableSlice as error:
        return _Facts(size, digest, None, (error.code, str(error)))


def _row(z: int, place: Place, fact: _Facts, path: str) -> Slice:
    head = fact.header
    about = (head.width, head.height, head.bit_depth, head.dtype) if head else ("", "", "", "")
    file = Path(place.file).relative_to(folder_of(path)).as_posix() if place.file else ""
    page, number = ("" if each is None else each for each in (place.page, place.number))
    return Slice(z, file, *about, fact.size, fact.digest, page, number, place.filled)


def _odd_ones(headers: dict[int, Header], places: list[Place], usual: Header, channel: dict):
    size_fix = _size_fix(headers, channel)
    for z, head in headers.items():
        where = place_text(places[z])
        if head.shape != usual.shape:
            text = f"is {head.width} x {head.height}, the others {usual.width} x {usual.height}"
            yield Finding("SLICE_SIZE", where, f"{text} (width x height)", size_fix)
        if (head.bit_depth, head.dtype) != (usual.bit_depth, usual.dtype):
            yield Finding(
                "SLICE_DEPTH",
                where,
                f"is a {head.format} file of {head.bit_depth} bits ({head.dtype}), "
                f"the others are {usual.format} files of {usual.bit_depth} bits ({usual.dtype})",
            )
        elif (head.format, head.lossy) != (usual.format, usual.lossy):
            kinds = ["lossy" if each.lossy else "lossless" for each in (head, usual)]
            text = f"is a {kinds[0]} {head.format} file, the others are {kinds[1]} {usual.format}"
            yield Finding("SLICE_MIXED", where, text)
        if not _same_palette(head.palette, usual.palette):
            own = f"has a palette of {len(head.palette)} colours" if head.palette else "has none"
            others = f"have one of {len(usual.palette)}" if usual.palette else "have none"
            text = f"{own}, the others {others}: equal values mean different things"
            yield Finding("SLICE_PALETTE", where, text)
        if head.white_is_zero != usual.white_is_zero:
            yield Finding("SLICE_POLARITY", where, "differs from the others in which end is white")
        if head.orientation != 1:
            known = head.orientation in ORIENTATIONS
            meaning = "it is shown turned or flipped" if known else "such a tag has no meaning"
            text = f"carries the orientation tag {head.orientation}: {meaning}"
            yield Finding("SLICE_ORIENTATION", where, text)


def _size_fix(headers: dict[int, Header], channel: dict) -> str:
    """Return the usual way out, and the line that fits an image; its masks need the same one."""
    usual = CODES["SLICE_SIZE"].fix
    if channel["role"] != "image":
        return usual
    width = max(head.width for head in headers.values())
    height = max(head.height for head in headers.values())
    return f"{usual} `fit: {{width: {width}, height: {height}}}` there pads all with zeros."


def _same_palette(one: tuple, other: tuple) -> bool:
    """Compare palettes; one may hold fewer colours, and one of plain greys is like none."""
    if not one or not other:
        return all(colour == (index,) * 3 for index, colour in enumerate(one or other))
    return all(a == b for a, b in zip(one, other, strict=False))


def _notes(headers: dict[int, Header], places: list[Place], usual: Header, channel: dict):
    where = channel["path"]
    if usual.bit_depth < 8 * np.dtype(usual.dtype).itemsize and usual.bit_depth > 1:
        text = f"the files say {usual.bit_depth} bits; values are kept as they are"
        yield Finding("SLICE_NARROW", where, text)
    if usual.white_is_zero:
        yield Finding("SLICE_WHITE", where, "0 is white in these files; stored values are kept")
    if usual.palette and channel["role"] == "annotation":
        colours = "; ".join(f"{i}: {r}, {g}, {b}" for i, (r, g, b) in enumerate(usual.palette[:8]))
        yield Finding("MASK_PALETTE", where, f"palette indices are the values ({colours} ...)")
    elif not _same_palette(usual.palette, ()):
        yield Finding("SLICE_PALETTE", where, "palette indices would be taken for brightness")
    if usual.format == "tiff" and usual.lossy:
        yield Finding("SLICE_LOSSY", where, "the TIFF files are compressed with loss")
    misnamed = [
        places[z].file for z, head in headers.items() if not suffix_fits(places[z].file, head)
    ]
    if misnamed:
        head = next(head for z, head in headers.items() if places[z].file == misnamed[0])
        text = f"{len(misnamed)} files hold another format than their names say, {head.format}"
        yield Finding("SLICE_NAMED", misnamed[0], text)


def _repeated(rows: list[Slice], places: list[Place]):
    first: dict[str, int] = {}
    for row, place in zip(rows, places, strict=True):
        if not row.sha256 or row.filled:
            continue
        other = first.setdefault(row.sha256, row.z)
        if other != row.z:
            text = f"is the same file as {Path(places[other].file).name}, byte for byte"
            yield Finding("SLICE_REPEATED", place_text(place), text)


def _plan_image(channel: dict, count: int, depth: int, usual: Header) -> StackPlan:
    extent, dtype = (count, *usual.shape), channel["dtype"]
    tiling = tiling_of(extent, dtype, depth, usual.block_rows)
    return StackPlan(extent, dtype, depth, None, *tiling, cast_of(channel))


def _plan_annotation(channel, good: list[_Good], count: int, depth: int, usual: Header, threads):
    extent, where = (count, *usual.shape), channel["path"]
    samples, fault = _samples(good, threads)
    cast = cast_of(channel)
    colours: list = []
    if _is_colour(samples, usual) and cast.channel is None:
        rule, found, colours = _colour_rule(channel.get("colours"), good, where, threads)
    elif fault is not None and not samples:
        rule, found = MaskRule(LABELS), []
    else:
        grey = [one_channel(values, usual, cast) for values in samples]
        rule, found = decide_rule(channel, usual, grey, where)
    dtype = "uint8" if rule.kind == BINARY else _label_type(usual, rule)
    tiling = tiling_of(extent, dtype, depth, usual.block_rows)
    return StackPlan(extent, dtype, depth, rule, *tiling, cast), found, colours


def _colour_rule(table: str | None, good: list[_Good], where: str, threads: int):
    if table is not None:
        return *confirmed_rule(table, where), []
    codes: set[int] = set()
    # A table to confirm must have every colour, so all slices are looked at.
    for held in guarded_map(_colours, good, threads, SAMPLE_LIMITS):
        if isinstance(held, Finding):
            return MaskRule(LABELS), [held], []
        # What cannot be read is reported by its slab's job.
        codes.update(held if isinstance(held, list) else [])
    return proposed_rule(codes, where)


def _colours(good: _Good) -> list[int] | str | Finding:
    values = _sample(good)
    try:
        return values if isinstance(values, str) else colours_in(values)
    except UnreadableSlice as error:
        return Finding(error.code, place_text(good[0]), str(error))


def _is_colour(samples: list[np.ndarray], usual: Header) -> bool:
    return usual.samples > 2 and any(
        (values[..., 1:3] != values[..., :1]).any() for values in samples
    )


def _label_type(usual: Header, rule: MaskRule) -> str:
    """Return the smallest unsigned type that holds any label that the files can hold."""
    if rule.colours:
        largest = max(label for *_, label in rule.colours)
        return np.min_scalar_type(largest).name
    held = np.dtype(usual.dtype)
    return "uint64" if held.kind == "f" else f"uint{8 * held.itemsize}"


def _samples(good: list[_Good], threads: int):
    """Decode slices from the middle outwards until three of them hold two values or more."""
    order = [good[i] for i in sorted(range(len(good)), key=lambda i: abs(i - len(good) // 2))]
    samples: list[np.ndarray] = []
    fault, telling = None, 0
    for start in range(0, len(order), _SAMPLE_BATCH):
        batch = order[start : start + _SAMPLE_BATCH]
        for values in guarded_map(_sample, batch, threads, SAMPLE_LIMITS):
            if not isinstance(values, np.ndarray):
                # Its slab's job reports it; it says nothing of the kind.
                fault = values
                continue
            tells = bool((values != values.flat[0]).any())
            telling += tells
            if tells or not samples:
                samples.append(values)
        if telling >= _TELLING:
            break
    return samples[-2 * _SAMPLE_BATCH :], fault


def _sample(good: _Good) -> np.ndarray | str:
    place, header = good
    start, stop = 0, header.height
    if header.block_rows and header.height > 2 * _SAMPLE_ROWS:
        start = (header.height - _SAMPLE_ROWS) // 2
        stop = start + _SAMPLE_ROWS
    try:
        return read_rows(place.file, header, start, stop, place.page or 0)
    except UnreadableSlice as error:
        return str(error)
