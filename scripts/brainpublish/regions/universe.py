"""The regions that the atlas knows: the Allen ontology as iblatlas ships it.

A row of iblatlas' lateralised table is 0 void, 1 root, 2 to 1327 the right side (1327 is the
retina), then the left side in the same order: left row = right row + 1327. A left region has
the negative atlas id.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from iblatlas.regions import BrainRegions

VOID, ROOT = 0, 1
SIDES = ("left", "right")
MAPPINGS = ("allen", "beryl", "cosmos")  # the website's views, from the finest regions on


@dataclass(frozen=True)
class Region:
    """One region, without a side. `index` is its row on the right side of the table."""

    acronym: str
    atlas_id: int
    name: str
    index: int


@dataclass(frozen=True)
class Universe:
    """All regions, by row, and who is whose parent. `regions` is in the table's order."""

    regions: tuple[Region, ...]
    parents: tuple[int | None, ...]
    lines: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False)

    def ancestors(self, index: int) -> tuple[int, ...]:
        """Return the rows above a region: its parent first, root last."""
        if index not in self.lines:
            parent = self.parents[index]
            line = () if parent is None else (parent, *self.ancestors(parent))
            self.lines[index] = line
        return self.lines[index]

    @property
    def outside(self) -> frozenset[int]:
        """Return the rows that stand for no place in the brain: void, root and the retina."""
        return frozenset({VOID, ROOT, len(self.regions) - 1})


@cache
def brain_regions() -> BrainRegions:
    """Return iblatlas' region table, read once per process."""
    return BrainRegions()


@cache
def universe() -> Universe:
    """Return the regions of the Allen ontology (2017), void, root and retina included."""
    table = brain_regions()
    count = table.n_lr + 1
    regions = tuple(
        Region(str(table.acronym[i]), int(table.id[i]), str(table.name[i]), i) for i in range(count)
    )
    by_id = {region.atlas_id: region.index for region in regions}
    parents = tuple(
        None if np.isnan(parent) else by_id[int(parent)] for parent in table.parent[:count]
    )
    return Universe(regions, parents)


def signed_id(atlas_id: int, side: str) -> int:
    """Return the atlas id with the sign that says the side: negative is left."""
    return -atlas_id if side == "left" else atlas_id


SIDE_SHIFT = len(universe().regions) - 1  # from a row on the right side to that on the left
