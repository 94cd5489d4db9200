"""The mapping of region values to what the website draws, as one linear operator.

The mapping itself is iblbrainviewer's: for a fixed list of regions it is linear in the values
(finite values, each region once per side). So it is run once on symbols instead of numbers:
each symbol carries the weights of the input values, and what comes out are the rows of a
matrix. Applying the operator to any number of features is then a matrix product.
"""

import contextlib
import copy
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from iblbrainviewer.mappings import RegionMapper
from iblutil.numerical import ismember
from scipy.sparse import csr_array

from brainpublish.regions.universe import SIDE_SHIFT, brain_regions, universe

log = logging.getLogger(__name__)

GROUPED = {"beryl": "Beryl-lr", "cosmos": "Cosmos-lr"}


class Symbol:
    """A weighted sum of input values, with the arithmetic that the library does on values."""

    __slots__ = ("weights",)

    def __init__(self, weights: dict[int, float]):
        self.weights = weights

    def __add__(self, other):
        if not isinstance(other, Symbol):
            return NotImplemented
        total = dict(self.weights)
        for column, weight in other.weights.items():
            total[column] = total.get(column, 0.0) + weight
        return Symbol(total)

    def __truediv__(self, count):
        return Symbol({column: weight / count for column, weight in self.weights.items()})

    def __eq__(self, other):
        return isinstance(other, Symbol) and self.weights == other.weights

    __hash__ = None


@dataclass(frozen=True)
class Operator:
    """The mapping of one list of regions.

    For each mapping `rows` holds the rows of the lateralised region table that get a value
    (int64, shape (m,)), and `weights` the matrix of float64 and shape (m, n) that makes these
    values of the n input values. Each row of weights sums to 1.
    """

    rows: dict[str, np.ndarray]
    weights: dict[str, csr_array]

    def after(self, positions: Sequence[int], count: int) -> "Operator":
        """Return the operator of `count` values of which the i-th input here is positions[i]."""
        ones = np.ones(len(positions))
        picks = csr_array(
            (ones, (np.arange(len(positions)), positions)), shape=(len(positions), count)
        )
        return Operator(self.rows, {name: matrix @ picks for name, matrix in self.weights.items()})

    def carry(self, values: Sequence[float]) -> dict[str, dict[int, float]]:
        """Return {mapping: {table row: value}} of rows that are one input value, unchanged.

        A standard deviation, say, holds for such rows alone: a mean of several has another.
        Rows whose input is NaN are left out.
        """
        carried = {}
        for name, matrix in self.weights.items():
            single = np.flatnonzero(np.diff(matrix.indptr) == 1)
            sources = matrix.indices[matrix.indptr[single]]
            rows = self.rows[name][single].tolist()
            pairs = zip(rows, (values[source] for source in sources), strict=True)
            carried[name] = {row: value for row, value in pairs if not np.isnan(value)}
        return carried

    def apply(self, values: Sequence[float] | np.ndarray) -> dict[str, dict[int, float]]:
        """Return {mapping: {table row: value}} for the values of one feature, in float64."""
        column = np.asarray(values, dtype=np.float64)
        return {
            name: dict(zip(self.rows[name].tolist(), (matrix @ column).tolist(), strict=True))
            for name, matrix in self.weights.items()
        }


@cache
def _mapper() -> RegionMapper:
    """Return a mapper of the library, whose tables are read once per process."""
    return RegionMapper(np.array([0]), np.array([0.0]))


@cache
def own_voxels() -> dict[int, int]:
    """Return {region's index: atlas id of its own voxels} of regions that are node and leaf."""
    by_id = {region.atlas_id: region.index for region in universe().regions}
    inverse = _mapper().nl_ids_inverse_map
    return {by_id[int(region)]: int(own) for own, region in inverse.items() if own > 0}


def build_operator(atlas_ids: Sequence[int]) -> Operator:
    """Return the operator of a list of signed atlas ids, each at most once.

    The ids of `own_voxels`, with a sign, are accepted too.

    Raises ValueError if an id is repeated: the library's mapping of repeated regions is not
    usable, so they are aggregated before.
    """
    ids = np.asarray(atlas_ids, dtype=np.int64)
    if len(np.unique(ids)) != len(ids):
        raise ValueError("a region is given twice on one side: aggregate first")
    mapper = copy.copy(_mapper())
    mapper.regions = ids
    mapper.is_acronym = False
    rows, weights = {}, {}
    rows["allen"], weights["allen"] = _allen(ids)
    for name, library_name in GROUPED.items():
        rows[name], weights[name] = _grouped(ids, library_name)
        _check_grouped(mapper, library_name, rows[name], weights[name])
    return Operator(rows, weights)


def _allen(ids: np.ndarray) -> tuple[np.ndarray, csr_array]:
    """Return the operator of the Allen view, whose two sides are mapped alike."""
    rows: list[int] = []
    weights: list[dict[int, float]] = []
    for shift, columns in ((0, np.flatnonzero(ids > 0)), (SIDE_SHIFT, np.flatnonzero(ids < 0))):
        if columns.size:
            at, of_side = _allen_side(tuple(np.abs(ids[columns]).tolist()))
            rows += [row + shift for row in at]
            weights += [{int(columns[c]): weight for c, weight in w.items()} for w in of_side]
    return np.array(rows, dtype=np.int64), _matrix(weights, len(ids))


@lru_cache(maxsize=8)
def _allen_side(ids: tuple[int, ...]) -> tuple[list[int], list[dict[int, float]]]:
    """Return what the library makes of a list of regions on the right side."""
    symbols = np.empty(len(ids), dtype=object)
    symbols[:] = [Symbol({column: 1.0}) for column in range(len(ids))]
    mapper = copy.copy(_mapper())
    mapper.regions, mapper.values, mapper.is_acronym = np.array(ids), symbols, False
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        rows, values = mapper.map_ids_to_allen()
    for line in said.getvalue().splitlines():
        log.info("iblbrainviewer: %s", line)
    return np.asarray(rows).tolist(), [value.weights for value in values]


def _grouped(ids: np.ndarray, library_name: str) -> tuple[np.ndarray, csr_array]:
    """Return the operator of a mapping that means over the given regions of each class.

    The classes are the library's own conversion of ids; the mean is unweighted.
    """
    table, of_own = brain_regions(), _mapper().nl_ids_inverse_map
    plain = np.array([of_own.get(each, each) for each in ids.tolist()], dtype=np.int64)
    _, classes = ismember(table.id2id(plain, mapping=library_name), table.id)
    rows = np.unique(classes)
    members = [np.flatnonzero(classes == row).tolist() for row in rows]
    weights = [dict.fromkeys(each, 1.0 / len(each)) for each in members]
    return rows.astype(np.int64), _matrix(weights, len(ids))


def _check_grouped(
    mapper: RegionMapper, library_name: str, rows: np.ndarray, weights: csr_array
) -> None:
    """Hold a grouped operator against the library on one set of numbers."""
    numbers = np.random.default_rng(0).uniform(-1.0, 1.0, len(mapper.regions))
    mapper.values = numbers
    library_rows, library_values = mapper._map_to_mapping(library_name)
    if not np.array_equal(library_rows, rows) or not np.allclose(
        library_values, weights @ numbers, rtol=0.0, atol=1e-12
    ):
        raise RuntimeError(f"iblbrainviewer maps to {library_name} in another way than expected")


def _matrix(weights: Sequence[dict[int, float]], count: int) -> csr_array:
    starts = np.cumsum([0, *(len(each) for each in weights)])
    columns = [column for each in weights for column in each]
    numbers = [weight for each in weights for weight in each.values()]
    return csr_array(
        (np.array(numbers, dtype=np.float64), np.array(columns, dtype=np.int64), starts),
        shape=(len(weights), count),
    )
