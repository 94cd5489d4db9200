"""Which number in the names of slices is the slice's number. Names only, nothing is read."""

import collections
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from natsort import natsorted

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Ordered:
    """Names in z order with their slice numbers, which are None where none is known.

    `problems` are pairs of a finding's code and its message; `decision` says in words how the
    order was found.
    """

    names: list[str]
    numbers: list[int | None]
    decision: str
    problems: list[tuple[str, str]] = field(default_factory=list)


def order_names(names: Sequence[str], order: str | int = "auto") -> Ordered:
    """Put file names in z order.

    Args:
        names: file names without a folder, at least one.
        order: auto (by the number that changes from name to name), natural (all numbers in
            turn), name (as text), or which number of the name it is: 1 is the first one, -1
            the last one.
    """
    if order == "name":
        return _unnumbered(sorted(names), "by name, as text, as the config says")
    if order == "natural":
        return _unnumbered(natsorted(names), "by all numbers in the names, as the config says")
    if order == "auto":
        return _by_what_varies(natsorted(names))
    return _by_place(natsorted(names), int(order))


def template_of(name: str) -> str:
    """Return a name with # for its numbers, without its ending, in lower case."""
    return _NUMBER.sub("#", _stem(name)).casefold()


def numbers_of(name: str) -> tuple[int, ...]:
    """Return the numbers in a name, its ending left out."""
    return tuple(map(int, _NUMBER.findall(_stem(name))))


def _stem(name: str) -> str:
    stem = Path(name).stem
    return stem.removesuffix(".ome") if stem.lower().endswith(".ome") else stem


def _unnumbered(names: list[str], decision: str, *problems: tuple[str, str]) -> Ordered:
    return Ordered(names, [None] * len(names), decision, list(problems))


def _by_place(names: list[str], place: int) -> Ordered:
    index = place - 1 if place > 0 else place
    lacking = [
        name for name in names if not -len(numbers_of(name)) <= index < len(numbers_of(name))
    ]
    if lacking:
        text = f"`order: {place}`, but {lacking[0]} has {len(numbers_of(lacking[0]))} numbers"
        return _unnumbered(names, "undecided", ("SLICE_NAME", text))
    return _numbered(names, index, f"by number {place} of the names, as the config says")


def _by_what_varies(names: list[str]) -> Ordered:
    usual, odd = _odd_names(names)
    if odd:
        return _unnumbered(names, "undecided", *_odd_problems(names, usual, odd))
    columns = list(zip(*map(numbers_of, names), strict=True))
    varying = [index for index, column in enumerate(columns) if len(set(column)) > 1]
    if len(names) == 1:
        return _unnumbered(names, "a single slice")
    if not varying:
        text = f"no number tells the order of {names[0]}, {names[1]} and so on"
        return _unnumbered(names, "undecided", ("SLICE_AMBIGUOUS", text))
    if len(varying) == 1:
        return _numbered(names, varying[0], "by the number in the names")
    return _by_one_of(names, columns, varying)


def _by_one_of(names: list[str], columns: list[tuple[int, ...]], varying: list[int]) -> Ordered:
    """Take the one number that is different in each name, if no other tells another order."""
    telling = [index for index in varying if len(set(columns[index])) == len(names)]
    if telling and all(list(columns[index]) == sorted(columns[index]) for index in telling):
        # Of those that agree, slices are counted by the one without gaps.
        best = min(telling, key=lambda index: (max(columns[index]) - min(columns[index]), -index))
        return _numbered(names, best, f"by number {best + 1} of the names, in which all differ")
    candidates = "; ".join(
        f"number {index + 1} ({min(columns[index])} to {max(columns[index])}, "
        f"{len(set(columns[index]))} values)"
        for index in varying
    )
    text = f"more than one number changes from {names[0]} to {names[-1]}: {candidates}"
    return _unnumbered(names, "undecided", ("SLICE_AMBIGUOUS", text))


def _odd_names(names: list[str]) -> tuple[str, list[str]]:
    templates = collections.Counter(map(template_of, names))
    usual = templates.most_common(1)[0][0]
    return usual, [name for name in names if template_of(name) != usual]


def _odd_problems(names: list[str], usual: str, odd: list[str]):
    claimed = {numbers_of(name): name for name in names if template_of(name) == usual}
    for name in odd:
        numbers = numbers_of(name)[: usual.count("#")]
        if "#" in usual and template_of(name).startswith(usual) and numbers in claimed:
            yield "SLICE_DOUBLED", f"{name} and {claimed[numbers]} claim the same slice"
        else:
            example = next(iter(claimed.values()))
            yield "SLICE_NAME", f"{name} is not named like {example} and the others"


def _numbered(names: list[str], index: int, decision: str) -> Ordered:
    by_number: dict[int, list[str]] = {}
    for name in names:
        by_number.setdefault(numbers_of(name)[index], []).append(name)
    numbers = sorted(by_number)
    doubled = [number for number in numbers if len(by_number[number]) > 1]
    if doubled:
        problems = [
            ("SLICE_DOUBLED", f"{len(by_number[n])} files claim slice {n}: {_list(by_number[n])}")
            for n in doubled
        ]
        return _unnumbered(names, "undecided", *problems)
    ordered = [by_number[number][0] for number in numbers]
    return Ordered(ordered, numbers, f"{decision}, {numbers[0]} to {numbers[-1]}")


def _list(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
