"""Keys of the config that must fit each other, which a schema cannot say.

The config may have other problems too, so everything of the wrong shape is passed over here.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from brainpublish.codes import SLICE_CODES
from brainpublish.config_schema import found, where_text

BOSSDB_SCHEME = "bossdb://"
FEATURE_KINDS = ("points", "volume")  # of a bucket, beside tables
LONGEST_NAME = 255  # of anything on BossDB, a coordinate frame included


def frame_name(collection: str, experiment: str) -> str:
    """Return the name of an experiment's coordinate frame, as intern names it too."""
    return f"CF_{collection}_{experiment}"


def cross_problems(config: dict) -> list[str]:
    """Return one sentence for each clash between keys of a config with its defaults."""
    return [
        *_channel_problems(config),
        *_frame_problems(config),
        *_slice_problems(config),
        *_bucket_problems(config),
        *_table_problems(config),
        *_spatial_problems(config),
    ]


def _named_channels(config: dict) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (volume id, where its name stands, [collection, experiment, channel])."""
    for volume_id, volume in _mapping(config["volumes"]).items():
        annotations = _mapping(volume).get("annotations")
        sections = [(("image",), _mapping(volume).get("image"))]
        for index, section in enumerate(annotations if isinstance(annotations, list) else []):
            sections.append((("annotations", index), section))
        for at, section in sections:
            name = _mapping(section).get("name")
            parts = name.removeprefix(BOSSDB_SCHEME).split("/") if isinstance(name, str) else []
            if len(parts) == 3:
                yield volume_id, where_text(("volumes", volume_id, *at, "name")), parts


def _mapping(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _channel_problems(config: dict) -> Iterator[str]:
    for one, other in combinations(_named_channels(config), 2):
        names = ["/".join(parts).casefold() for _, _, parts in (one, other)]
        if names[0] == names[1]:
            yield (
                f"{one[1]} and {other[1]}: both are {found('/'.join(one[2]))} (upper and lower "
                "case count as the same); give each channel a name of its own"
            )
        elif one[0] == other[0] and one[2][2].casefold() == other[2][2].casefold():
            yield (
                f"{one[1]} and {other[1]}: both channels are called {found(one[2][2])}; in one "
                "volume the last part of a name must differ, the results are kept under it"
            )


def _frame_problems(config: dict) -> Iterator[str]:
    """Coordinate frames: their names have a limit, and one frame has one voxel size."""
    first: dict[str, tuple[str, tuple]] = {}
    for volume_id, where, (collection, experiment, _) in _named_channels(config):
        frame = frame_name(collection, experiment)
        if len(frame) > LONGEST_NAME:
            yield (
                f"{where}: collection and experiment have {len(collection)} and "
                f"{len(experiment)} characters; together they may have {LONGEST_NAME - 4}, "
                "because the coordinate frame is named after both"
            )
        volume = config["volumes"][volume_id]
        size = (volume.get("voxel_size"), volume.get("voxel_unit"))
        other_id, other_size = first.setdefault(frame.casefold(), (volume_id, size))
        places = [where_text(("volumes", each)) for each in (volume_id, other_id)]
        if size != other_size and None not in (*size, *other_size):
            yield (
                f"{' and '.join(places)}: they share the coordinate frame {found(frame)} but "
                "differ in voxel_size or voxel_unit; give one of them another experiment"
            )


def _slice_problems(config: dict) -> Iterator[str]:
    """Errors that cannot be waived, and linear maps that map nothing or leave the type."""
    for volume_id, volume in _mapping(config["volumes"]).items():
        annotations = _mapping(volume).get("annotations")
        sections = [(("image",), _mapping(volume).get("image"))]
        sections += [
            (("annotations", index), section)
            for index, section in enumerate(annotations if isinstance(annotations, list) else [])
        ]
        for at, section in sections:
            where = ("volumes", volume_id, *at)
            yield from _waive_problems(_mapping(section).get("waive"), where)
            yield from _scale_problems(_mapping(section), where)


def _waive_problems(codes: Any, where: tuple) -> Iterator[str]:
    for index, code in enumerate(codes if isinstance(codes, list) else []):
        known = SLICE_CODES.get(code) if isinstance(code, str) else None
        if isinstance(code, str) and not (known and known.waived):
            waivable = ", ".join(name for name, each in SLICE_CODES.items() if each.waived)
            place = where_text((*where, "waive", index))
            yield f"{place}: {found(code)} cannot be waived; those that can: {waivable}"


def _scale_problems(section: dict, where: tuple) -> Iterator[str]:
    scale = _mapping(section.get("scale"))
    ranges = [scale.get("from"), scale.get("to")]
    if not all(isinstance(each, list) and len(each) == 2 for each in ranges):
        return
    (a, b), to = ranges
    place = where_text((*where, "scale"))
    if a == b:
        yield f"{place}.from: both values are {a}; they must differ"
    limit = {"uint8": 255, "uint16": 65535}.get(section.get("dtype"))
    if limit and not all(isinstance(v, int | float) and 0 <= v <= limit for v in to):
        yield f"{place}.to: {section['dtype']} takes 0 to {limit}"
    if section.get("offset"):
        yield f"{place}: `scale` and `offset` exclude each other; put the offset into `scale`"


def _bucket_problems(config: dict) -> Iterator[str]:
    buckets = _mapping(config["buckets"])
    for one, other in combinations(buckets, 2):
        short, long = sorted((one, other), key=len)
        if long.startswith(f"{short}_") or long.endswith(f"_{short}"):
            places = [where_text(("buckets", each)) for each in (short, long)]
            yield (
                f"{' and '.join(places)}: the atlas service takes one for the other, because "
                "the names differ by a part before or after an underscore; use a hyphen "
                "or another name"
            )
    for name, bucket in buckets.items():
        names = Counter(feature.casefold() for feature in _feature_names(_mapping(bucket)))
        for feature in [each for each, count in names.items() if count > 1]:
            yield (
                f"{where_text(('buckets', name, 'tables'))}: the feature {found(feature)} occurs "
                f"{names[feature]} times (upper and lower case count as the same); feature "
                "names must differ within a bucket"
            )


def _table_problems(config: dict) -> Iterator[str]:
    """Keys of a table that only go together, or only apart."""
    for name, bucket in _mapping(config["buckets"]).items():
        tables = _mapping(bucket).get("tables")
        for index, table in enumerate(tables if isinstance(tables, list) else []):
            at, table = ("buckets", name, "tables", index), _mapping(table)
            if bool(table.get("feature")) != bool(table.get("value")):
                yield (
                    f"{where_text(at)}: feature and value go together: a long table has a column "
                    "of feature labels and a column of numbers"
                )
            if bool(table.get("weight")) != (table.get("aggregate") == "weighted"):
                yield f"{where_text(at)}: weight and aggregate: weighted go together"
            features = [_mapping(each) for each in _mapping(table.get("features")).values()]
            if table.get("hemisphere") and features and all(f.get("values") for f in features):
                yield (
                    f"{where_text(at)}: hemisphere and values both say the side; leave hemisphere "
                    "out, since every feature has a column for each side"
                )
            for feature, section in _mapping(table.get("features")).items():
                where = where_text((*at, "features", feature))
                yield from _feature_problems(where, _mapping(section), bool(table.get("feature")))


def _feature_problems(where: str, section: dict, is_long: bool) -> Iterator[str]:
    values = section.get("values")
    if values and section.get("column"):
        yield f"{where}: give column or values, not both"
    if values and is_long:
        yield f"{where}: values is for wide tables; in a long one name the side by hemisphere"
    if isinstance(values, dict) and not any(values.values()):
        yield f"{where}.values: names no column; give left, right or both"


def _feature_names(bucket: dict) -> Iterator[str]:
    tables = bucket.get("tables")
    for table in tables if isinstance(tables, list) else []:
        yield from _mapping(_mapping(table).get("features"))
    for kind in FEATURE_KINDS:
        yield from _mapping(bucket.get(kind))


def _spatial_problems(config: dict) -> Iterator[str]:
    """Buckets without any feature, and volumes whose axes are not three."""
    for name, bucket in _mapping(config["buckets"]).items():
        if isinstance(bucket, dict) and not any(bucket.get(k) for k in ("tables", *FEATURE_KINDS)):
            where = where_text(("buckets", name, "tables"))
            yield f"{where}: missing, expected tables, points or volume: a bucket has features"
        for feature, section in _mapping(_mapping(bucket).get("volume")).items():
            axes = _mapping(section).get("axes")
            named = axes if isinstance(axes, list) else []
            texts = [str(axis).removeprefix("-") for axis in named]
            if set(texts) <= {"ap", "dv", "ml"} and len(texts) == 3 > len(set(texts)):
                where = where_text(("buckets", name, "volume", feature, "axes"))
                yield f"{where}: names an axis twice; give ap, dv and ml once each"
