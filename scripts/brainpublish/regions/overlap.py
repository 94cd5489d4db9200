"""Regions that are given together with regions inside them, and ways out of it.

The library's mapping of such a list contradicts its own description: the inner value may
spread to the neighbours of the inner region. Lists in which no region contains another have
no such effect, so a region can be expanded to those parts of it that are not given.

29 regions have voxels of their own beside the regions inside them (TH, MB, HY, ...). The
library knows these voxels under ids of their own, so a value can be meant for them alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from brainpublish.regions.universe import SIDES, signed_id, universe

Place = tuple[int, str]  # a region's index, and its side


def overlaps(places: Sequence[Place], single: frozenset[int]) -> dict[Place, list[Place]]:
    """Return {place: [places inside it]} of those that are given together.

    `single` are the indices of regions that are meant without the regions inside them.
    """
    given = {place for place in places if place[0] not in single}
    below: dict[Place, list[Place]] = {}
    for index, side in places:
        for ancestor in universe().ancestors(index):
            if (ancestor, side) in given:
                below.setdefault((ancestor, side), []).append((index, side))
    return below


def expanded(
    places: Sequence[Place], own: Mapping[int, int], single: frozenset[int]
) -> list[tuple[int, int]]:
    """Return (signed atlas id, position of its value) of a list in which nothing overlaps.

    A place that contains other given places stands for the largest regions inside it that
    contain none of them. `own` is {index: atlas id of the region's own voxels}.
    """
    found = []
    for side in SIDES:
        given = {index: at for at, (index, each) in enumerate(places) if each == side}
        parts = _Parts(frozenset(given), own, single)
        found += [
            (signed_id(atlas_id, side), at)
            for index, at in given.items()
            for atlas_id in parts.of(index)
        ]
    return sorted(found, key=lambda part: part[1])


@dataclass(frozen=True)
class _Parts:
    given: frozenset[int]
    own: Mapping[int, int]
    single: frozenset[int]

    def of(self, index: int) -> list[int]:
        """Return the atlas ids that a given region stands for."""
        if index in self.single:
            return [self.own[index]]
        return self._parts(index, with_own=True)

    def _uncovered(self, index: int) -> list[int]:
        """Return the atlas ids of those parts of a region that no given region covers."""
        if index in self.given and index not in self.single:
            return []
        return self._parts(index, with_own=index not in self.given)

    def _parts(self, index: int, with_own: bool) -> list[int]:
        if with_own and not self._holds_given(index):
            return [universe().regions[index].atlas_id]
        parts = [self.own[index]] if with_own and index in self.own else []
        return parts + [part for child in children()[index] for part in self._uncovered(child)]

    def _holds_given(self, index: int) -> bool:
        return any(index in universe().ancestors(each) for each in self.given)


@cache
def children() -> dict[int, list[int]]:
    """Return {index: indices of the regions right below}."""
    below: dict[int, list[int]] = {region.index: [] for region in universe().regions}
    for index, parent in enumerate(universe().parents):
        if parent is not None:
            below[parent].append(index)
    return below
