"""Regions listed and searched, with what each view of the website shows of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

from brainpublish.regions.coverage import hidden_places
from brainpublish.regions.mapping import build_operator
from brainpublish.regions.resolve import resolver, trimmed, without_commas
from brainpublish.regions.universe import MAPPINGS, SIDES, Region, brain_regions, universe


@dataclass(frozen=True)
class Entry:
    """One region as people look it up. The views are shown as yes or no.

    `beryl` and `cosmos` are the classes that the region counts for in these views; a view
    shows a region if a value given for it alone appears in a place of the brain.
    """

    acronym: str
    atlas_id: int
    name: str
    parent: str
    beryl: str
    cosmos: str
    in_allen: str
    in_beryl: str
    in_cosmos: str


RIGHT = SIDES[1]
COLUMNS = tuple(field.name for field in fields(Entry))


def found_regions(text: str | None) -> tuple[list[Region], str]:
    """Return the regions that a text means or occurs in, and a hint if there are none.

    A text that the resolver takes as it stands gives that one region; without a text, all.
    """
    regions = universe().regions
    if text is None or not trimmed(text):
        return list(regions), ""
    match = resolver().match(text)
    if match.region is not None:
        return [match.region], ""
    words = without_commas(match.written).casefold().split()
    holding = [region for region in regions if _holds(region, words)]
    return holding, "" if holding else match.hint


def _holds(region: Region, words: Sequence[str]) -> bool:
    texts = f"{region.acronym} {region.name}".casefold()
    return all(word in texts for word in words)


def entries(regions: Sequence[Region]) -> list[Entry]:
    """Return what is known of regions, in their order."""
    shown = shown_in(regions)
    return [_entry(region, shown[region.index]) for region in regions]


def _entry(region: Region, shown: Collection[str]) -> Entry:
    parent = universe().parents[region.index]
    table = brain_regions()
    classes = {
        name: str(table.acronym[table.mappings[name.capitalize()][region.index]])
        for name in ("beryl", "cosmos")
    }
    return Entry(
        region.acronym,
        region.atlas_id,
        region.name,
        "" if parent is None else universe().regions[parent].acronym,
        **classes,
        **{f"in_{name}": "yes" if name in shown else "no" for name in MAPPINGS},
    )


def shown_in(regions: Sequence[Region]) -> dict[int, set[str]]:
    """Return {index: views that show a value given for that region alone}.

    Regions of one depth of the ontology do not contain each other, and the mapping of such a
    list covers what its members cover alone; so one operator per depth tells.
    """
    shown: dict[int, set[str]] = {region.index: set() for region in regions}
    of_depth: dict[int, list[Region]] = {}
    for region in regions:
        if region.index not in universe().outside:
            of_depth.setdefault(len(universe().ancestors(region.index)), []).append(region)
    for alike in of_depth.values():
        operator = build_operator([region.atlas_id for region in alike])
        places = [(region.index, RIGHT) for region in alike]
        for name in MAPPINGS:
            hidden = set(hidden_places(operator, name, places))
            for place in places:
                if place not in hidden:
                    shown[place[0]].add(name)
    return shown


def as_tsv(found: Sequence[Entry]) -> str:
    """Return regions as tab-separated text with a header."""
    rows = [COLUMNS, *([str(getattr(entry, column)) for column in COLUMNS] for entry in found)]
    return "\n".join("\t".join(row) for row in rows)


def as_text(found: Sequence[Entry]) -> str:
    """Return regions as an aligned table for people."""
    header = [column.replace("_", " ") for column in COLUMNS]
    rows = [header, *([str(getattr(entry, column)) for column in COLUMNS] for entry in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
