"""Laws of loading, on any valid config."""

import copy
import json

from configs import (
    SCHEMA,
    load,
    mappings_with_fixed_keys,
    only_problem_of,
    path_text,
    paths_in,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainpublish.config import channels_of
from brainpublish.config_schema import key_paths

WORD = st.text("abcXYZ019", min_size=1, max_size=6)
FOLDER = st.sampled_from(["data", "~/data", "/data/a b", "../x", "~"])
POSITIVE = st.floats(min_value=1e-6, max_value=1e6) | st.integers(1, 1000)


def some_of(required, **optional):
    """Mappings with all required keys and any of the optional ones, which may hold nothing."""
    return st.fixed_dictionaries(
        required, optional={key: st.none() | each for key, each in optional.items()}
    )


@st.composite
def volumes(draw, number):
    experiment = f"{draw(WORD)}/{number}-{draw(WORD)}"
    scheme = draw(st.sampled_from(["", "bossdb://"]))
    names = draw(st.lists(WORD, unique_by=str.casefold, min_size=1, max_size=3))
    slices = {"path": FOLDER, "pattern": st.sampled_from(["*.jp2", "s*.tif"])}
    name, *others = (st.just(f"{scheme}{experiment}/{each}") for each in names)
    annotations = [
        some_of(
            slices | {"name": other},
            dtype=st.sampled_from(["uint64", "uint32"]),
            kind=st.sampled_from(["auto", "binary", "labels"]),
            label=st.integers(1, 2**64 - 1),
            threshold=st.just("auto") | st.integers(0, 65535) | st.floats(0, 65535),
            invert=st.booleans(),
            adopt=st.booleans(),
        )
        for other in others
    ]
    return draw(
        some_of(
            {
                "voxel_size": st.tuples(*[POSITIVE] * 3).map(list),
                "voxel_unit": st.sampled_from(["nanometers", "centimeters"]),
                "image": st.fixed_dictionaries(
                    slices | {"name": name, "dtype": st.sampled_from(["uint8", "uint16"])}
                ),
            },
            slab_depth=st.just("auto") | st.integers(1, 9).map(lambda each: 16 * each),
            annotations=st.tuples(*annotations).map(list),
        )
    )


TREES = st.recursive(
    WORD, lambda below: st.dictionaries(WORD, below, min_size=1, max_size=3), max_leaves=5
).filter(lambda tree: isinstance(tree, dict))
FEATURES = st.lists(WORD, unique_by=str.casefold, min_size=1, max_size=3)


@st.composite
def buckets(draw):
    columns = {
        name: some_of({"column": WORD}, unit=WORD, short_desc=WORD) for name in draw(FEATURES)
    }
    table = some_of(
        {"path": FOLDER, "regions": WORD, "features": st.fixed_dictionaries(columns)},
        hemisphere=st.sampled_from(["left", "right", "both", "side"]),
        aggregate=st.sampled_from(["error", "mean", "max"]),
    )
    tables = {"tables": table.map(lambda each: [each])}
    return draw(some_of(tables, short_desc=WORD, long_desc=WORD, tree=TREES))


@st.composite
def valid_configs(draw):
    ids = draw(st.lists(WORD, unique=True, max_size=2))
    names = draw(st.lists(WORD.map("b-{}".format), unique=True, max_size=2))
    web = st.sampled_from(["http://localhost:5000", "https://x.org/api/", "https://x.org/api//"])
    return draw(
        some_of(
            {},
            destination=st.sampled_from(["local", "remote"]),
            local=some_of({}, store=FOLDER),
            bossdb=some_of(
                {},
                protocol=st.sampled_from(["http", "https"]),
                host=st.sampled_from(["localhost", "127.0.0.1:8765", "[::1]:80"]),
                connections=st.integers(1, 64),
                verify=st.sampled_from(["full", "sample", "none"]),
                sample_share=st.floats(0, 1, exclude_min=True),
                gate=st.sampled_from(["volume", "slab"]),
                downsample=st.booleans(),
                public=st.booleans(),
            ),
            atlas=some_of({}, api=web, website=web),
            volumes=st.fixed_dictionaries({key: volumes(i) for i, key in enumerate(ids)}),
            buckets=st.fixed_dictionaries({key: buckets() for key in names}),
        )
    )


LAW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@LAW
@given(valid_configs())
def test_loading_a_loaded_config_changes_nothing(raw):
    once = load(raw)
    assert load(once) == once
    assert json.loads(json.dumps(once)) == once
    assert set(paths_in(once)) <= set(key_paths(SCHEMA))
    for volume_id, channels in channels_of(once).items():
        assert len(channels) == 1 + len(once["volumes"][volume_id]["annotations"])


@LAW
@given(valid_configs(), st.text("abcdefghijklmnop_", min_size=1, max_size=12), st.data())
def test_an_unknown_key_is_refused_with_its_path_anywhere(raw, key, data):
    raw = copy.deepcopy(raw)
    at, mapping = data.draw(st.sampled_from(list(mappings_with_fixed_keys(raw))))
    if key in {path.rpartition(".")[2] for path in key_paths(SCHEMA)}:
        key = f"{key}x"
    mapping[key] = {"deep": "never shown"}
    problem = only_problem_of(raw)
    assert problem.startswith(f"{path_text((*at, key))}: unknown key")
    assert "never shown" not in problem
