"""Shards, held against two Zarr libraries as readers."""

import time

import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainpublish.files import digest_of_file
from brainpublish.packing import unpack
from brainpublish.slices.manifest import Slice
from brainpublish.slices.masks import BINARY, MaskRule
from brainpublish.slices.normalise import normalise_slab
from brainpublish.slices.plan import StackPlan, slab_memory, tiling_of
from brainpublish.slices.shard import DamagedShard, Shard, _crc32c, new_shard
from brainpublish.slices.slab import SliceFacts, digest_of
from brainpublish.slices.stack import write_stack_metadata
from brainpublish.slices.stored import StoredStack
from stacks import write_jp2_stack
from zarrstacks import open_stack

CHANNEL = {"name": "lab/fish/image", "voxel_size": [1, 2, 3], "voxel_unit": "micrometers"}


def made(folder, values, plan, label=1, workers=2):
    """Make a stack of arrays, slab by slab; return what each cuboid holds."""
    write_stack_metadata(folder / "stack.zarr", plan, CHANNEL)
    cuboids = {}
    for slab, start in enumerate(range(0, len(values), plan.depth)):
        rows = [Slice(z, f"{z}") for z in range(start, min(start + plan.depth, len(values)))]
        shards = folder / "stack.zarr" / "0" / "c" / str(slab)
        cuboids |= normalise_slab(folder, shards, rows, plan, label, workers)[1]
    return cuboids


@pytest.fixture
def from_memory(monkeypatch):
    """Let slices come from an array instead of files."""

    def use(values):
        def take(folder, row, plan, band, target):
            target[:] = values[row.z, band.start : band.stop]
            return SliceFacts()

        monkeypatch.setattr("brainpublish.slices.normalise.take_slice", take)
        return values

    return use


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    ("shape", "depth", "shard", "band"),
    [
        ((5, 40, 30), 16, (512, 512), 512),
        ((37, 520, 600), 16, (1024, 1024), 1024),
        ((37, 1100, 600), 32, (512, 512), 1024),
        ((20, 1600, 513), 32, (512, 1024), 512),
    ],
)
def test_shards_are_read_by_zarr_libraries(
    tmp_path, from_memory, shape, depth, shard, band, workers
):
    values = from_memory(np.random.default_rng(1).integers(0, 2**16, shape).astype(np.uint16))
    plan = StackPlan(shape, "uint16", depth, None, shard, band)
    cuboids = made(tmp_path, values, plan, workers=workers)
    folder = tmp_path / "stack.zarr"
    assert np.array_equal(zarr.open_group(folder, mode="r")["0"][:], values)
    assert np.array_equal(open_stack(folder).read().result(), values)
    assert len(cuboids) == np.prod([-(-n // m) for n, m in zip(shape, (16, 512, 512), strict=True)])
    with StoredStack(folder, plan, cuboids) as stack:
        for key, facts in cuboids.items():
            start = tuple(map(int, key.split("-")))
            stop = map(min, (a + n for a, n in zip(start, (16, 512, 512), strict=True)), shape)
            box = tuple(map(slice, start, stop))
            assert np.array_equal(stack[box], values[box])
            assert facts.digest == digest_of(np.ascontiguousarray(values[box]))
            assert not facts.blank
            packed = unpack(stack.packed(start), "uint16").reshape(16, 512, 512)
            assert packed.sum() == values[box].sum(dtype=np.uint64)


def test_equal_input_leaves_equal_bytes(tmp_path, from_memory):
    values = from_memory(np.random.default_rng(2).integers(0, 99, (40, 700, 700)).astype(np.uint16))
    plan = StackPlan(values.shape, "uint16", 48, None, (1024, 1024), 1024)
    for folder, workers in (("a", 1), ("b", 4), ("c", 2)):
        made(tmp_path / folder, values, plan, workers=workers)
    a, b, c = ((tmp_path / each / "stack.zarr/0/c/0/0/0").read_bytes() for each in "abc")
    assert a == b == c


def test_blank_cuboids_and_labels_are_told(tmp_path, from_memory):
    values = np.zeros((20, 600, 20), np.uint8)
    values[3, 5, 5] = 1
    from_memory(values)
    plan = StackPlan(values.shape, "uint8", 16, MaskRule(BINARY), (1024, 512), 1024)
    cuboids = made(tmp_path, values, plan, label=7)
    assert {key for key, facts in cuboids.items() if not facts.blank} == {"0-0-0"}
    assert cuboids["0-0-0"].digest == digest_of(np.ascontiguousarray(values[:16, :512]), 7)


CHUNKS = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), st.binary(min_size=1)
)


@given(CHUNKS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_chunks_are_read_as_they_were_put(tmp_path, chunks):
    path = tmp_path / "shard"
    with new_shard(path, (3, 2, 4)) as shard:
        for place, body in chunks.items():
            shard.put(place, body)
    shard = Shard(path, (3, 2, 4))
    for place in np.ndindex(3, 2, 4):
        if place in chunks:
            assert shard.chunk(place) == chunks[place]
        else:
            with pytest.raises(DamagedShard, match="not there"):
                shard.chunk(place)
    shard.close()


def break_off(path):
    with new_shard(path, (1, 1, 1)) as shard:
        shard.put((0, 0, 0), b"voxels")
        raise KeyError


def test_shard_that_is_not_finished_has_no_name(tmp_path):
    with pytest.raises(KeyError):
        break_off(tmp_path / "shard")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 20, 10_000])
def test_shard_that_was_cut_is_damaged(tmp_path, cut):
    path = tmp_path / "shard"
    with new_shard(path, (1, 1, 2)) as shard:
        shard.put((0, 0, 0), bytes(9_000))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DamagedShard, match="index is not whole"):
        Shard(path, (1, 1, 2))


def test_flipped_byte_of_a_chunk_is_noticed(tmp_path, from_memory):
    values = from_memory(np.random.default_rng(3).integers(0, 99, (16, 512, 512)).astype(np.uint16))
    plan = StackPlan(values.shape, "uint16", 16)
    cuboids = made(tmp_path, values, plan)
    path = tmp_path / "stack.zarr/0/c/0/0/0"
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    with (
        StoredStack(tmp_path / "stack.zarr", plan, cuboids) as stack,
        pytest.raises(DamagedShard, match=r"the cuboid at z, y, x \(0, 0, 0\)"),
    ):
        stack.packed((0, 0, 0))


def test_checksum_is_that_of_the_specification():
    # RFC 3720, appendix B.4: 32 bytes of zeros, and of ones.
    assert _crc32c(bytes(32)) == 0x8A9136AA
    assert _crc32c(b"\xff" * 32) == 0x62A8AB43


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 40_000), st.integers(1, 40_000)),
    st.sampled_from(["uint8", "uint16", "uint64"]),
    st.integers(1, 16).map(lambda layers: 16 * layers),
    st.sampled_from([0, 1, 16, 64, 256, 512, 1000, 1024, 4096]),
)
def test_shards_tile_bands_and_bands_the_slice(extent, dtype, depth, block):
    (rows, columns), band = tiling_of(extent, dtype, depth, block)
    plan = StackPlan(extent, dtype, depth, None, (rows, columns), band)
    assert [y for rows in plan.bands for y in rows] == list(range(extent[1]))
    assert rows % 512 == columns % 512 == band % rows == 0
    raw = depth * rows * columns * np.dtype(dtype).itemsize
    assert raw <= 2**30 or rows == columns == 512
    if 0 < block <= 512 and 512 % block == 0 and band < extent[1]:
        assert band % block == 0
    held = 20 * min(band, extent[1]) * extent[2] * np.dtype(dtype).itemsize
    assert held <= 2**32 or band <= 2048


def test_memory_of_ordinary_slabs_is_small_and_that_of_huge_slices_bounded():
    assert slab_memory((1024, 1024), 2, 0, 2) < 600
    assert slab_memory((2048, 2048), 2, 0, 2) < 1000
    assert slab_memory((20_000, 20_000), 2, 256, 2) < 2000


@pytest.mark.parametrize(
    ("shape", "shard", "band"),
    [((2, 1600, 1100), (512, 1536), 512), ((18, 1100, 1100), (1536, 1536), 1536)],
)
@pytest.mark.parametrize("slow", [0, 1])
def test_one_slow_slice_keeps_nothing_out_of_the_stack(
    tmp_path, monkeypatch, shape, shard, band, slow
):
    values = np.random.default_rng(1).integers(1, 9, shape).astype(np.uint8)

    def take(folder, row, plan, band, target):
        if row.z == slow:
            # Time enough for all that can be done meanwhile.
            time.sleep(0.4)
        target[:] = values[row.z, band.start : band.stop]
        return SliceFacts()

    monkeypatch.setattr("brainpublish.slices.normalise.take_slice", take)
    plan = StackPlan(shape, "uint8", 32, None, shard, band)
    cuboids = made(tmp_path, values, plan)
    assert len(cuboids) == -(-shape[0] // 16) * -(-shape[1] // 512) * -(-shape[2] // 512)
    assert np.array_equal(open_stack(tmp_path / "stack.zarr").read().result(), values)


def test_real_decoding_goes_the_same_way(tmp_path):
    values = np.arange(20 * 64 * 48, dtype=np.uint16).reshape(20, 64, 48)
    write_jp2_stack(tmp_path / "raw", values)
    files = sorted((tmp_path / "raw").iterdir(), key=lambda path: int(path.stem.strip("z")))
    rows = [Slice(z, path.name, sha256=digest_of_file(path)) for z, path in enumerate(files)]
    plan = StackPlan(values.shape, "uint16", 32, None, (512, 512), 512)
    write_stack_metadata(tmp_path / "stack.zarr", plan, CHANNEL)
    shards = tmp_path / "stack.zarr/0/c/0"
    facts, _ = normalise_slab(tmp_path / "raw", shards, rows, plan, 1, 2)
    assert [fact.fault for fact in facts] == [None] * 20
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{tmp_path}/stack.zarr/0/"}}
    assert np.array_equal(tensorstore.open(spec).result().read().result(), values)
