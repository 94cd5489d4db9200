import errno
import faulthandler
import hashlib
import os

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from brainpublish.files import read_json, write_json
from brainpublish.findings import read_findings
from brainpublish.slices import plan as plan_module
from brainpublish.slices import steps
from brainpublish.slices import take as take_module
from brainpublish.slices.changes import made_anew_for
from brainpublish.slices.describe import describe_slices
from brainpublish.slices.discover import list_slices
from brainpublish.slices.gather import gather_findings
from brainpublish.slices.manifest import read_manifest
from brainpublish.slices.plan import read_plan
from brainpublish.slices.slabs import (
    SLAB_BYTES,
    SLOW_SLAB_BYTES,
    slab_count,
    slab_depth,
    slab_range,
)
from brainpublish.slices.steps import make_manifest, make_slab
from stacks import SHARED, STACK, write_jp2_stack, write_mask_stack

IMAGE = {
    "name": "lab/fish/image",
    "role": "image",
    "dtype": "uint16",
    "pattern": "*",
    "voxel_size": [1, 2, 3],
    "voxel_unit": "micrometers",
    "waive": [],
}
MASK = {**IMAGE, "role": "annotation", "dtype": "uint64", "name": "lab/fish/bone"}
MASK |= {"kind": "auto", "threshold": "auto", "invert": False, "label": 1}


class Channel:
    """A channel's intermediates in a folder, made by the steps that the rules call."""

    def __init__(self, folder, section, raw):
        self.section = {**section, "path": str(raw)}
        self.folder = folder
        self.stack = folder / "stack.zarr"
        self.anew = None
        self.listing = list_slices(str(raw), section["pattern"])

    def manifest(self):
        make_manifest(
            {
                "channel": self.section,
                "listing": self.listing.as_settings(),
                "depth": 16,
                "anew": self.anew,
            },
            threads=2,
            manifest=self.folder / "slices.tsv",
            plan=self.folder / "plan.json",
            stamps=self.folder / "stamps.json",
            stack=self.stack,
        )
        return self

    def slab(self, slab):
        make_slab(
            {"channel": self.section},
            slab,
            threads=2,
            manifest=self.folder / "slices.tsv",
            plan=self.folder / "plan.json",
            stack=self.stack,
            report=self.folder / f"{slab}.json",
        )
        return self

    def findings(self, image=None):
        reports = sorted(self.folder.glob("[0-9]*.json"))
        plan, path = self.folder / "plan.json", self.folder / "findings.json"
        gather_findings(self.section, plan, image, reports, path)
        return {finding.code: finding for finding in read_findings(path)}

    def made(self):
        self.manifest()
        for slab in range(slab_count(len(self.listing.files), 16)):
            self.slab(slab)
        return self

    def voxels(self):
        return zarr.open_group(self.stack, mode="r")["0"][:]


@pytest.fixture
def image(tmp_path):
    write_jp2_stack(tmp_path / "raw", STACK)
    return Channel(tmp_path / "image", IMAGE, tmp_path / "raw")


SIZES = st.none() | st.integers(1, 2**31)
FORMS = st.sampled_from(["jp2", "png", "tiff", "jpeg"])


@given(st.integers(1, 3000), SIZES, FORMS)
def test_slabs_cover_every_slice_once_and_begin_on_cuboids(slices, size, form):
    depth = slab_depth(slices, "auto", size, form)
    slabs = [slab_range(slab, depth, slices) for slab in range(slab_count(slices, depth))]
    assert [z for slab in slabs for z in slab] == list(range(slices))
    assert all(slab.start % 16 == 0 for slab in slabs)


@given(st.integers(1, 3000), st.integers(1, 2**31), FORMS)
def test_slabs_are_neither_too_large_nor_too_small(slices, size, form):
    depth, most = slab_depth(slices, "auto", size, form), SLOW_SLAB_BYTES.get(form, SLAB_BYTES)
    assert depth == 16 or depth * size <= most
    # One slab less would make slabs that are too large.
    count = slab_count(slices, depth)
    layers = -(-slices // 16)
    assert count == 1 or -(-layers // (count - 1)) * 16 * size > most
    assert slab_depth(slices, 48, size) == 48


def test_small_stacks_make_one_slab_and_others_some():
    assert slab_depth(512, "auto", 2**21, "jp2") == 176
    assert slab_depth(512, "auto", 2**21, "png") == 256
    assert slab_depth(128, "auto", 2**21, "jp2") == 128
    assert slab_depth(600, "auto", 2**21) == 304
    assert slab_depth(40, "auto", 2**16) == 48


def test_stack_holds_the_voxels_of_the_slices(image):
    assert np.array_equal(image.made().voxels(), STACK)
    assert set(image.findings()) == {"SLICE_ORDER"}


def test_stack_says_its_axes_and_voxel_size(image):
    image.manifest()
    attributes = read_json(image.stack / "zarr.json")["attributes"]["ome"]["multiscales"][0]
    assert [axis["name"] for axis in attributes["axes"]] == ["z", "y", "x"]
    assert {axis["unit"] for axis in attributes["axes"]} == {"micrometer"}
    (scale,) = attributes["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == [3, 2, 1]


def test_equal_slices_leave_equal_bytes(image):
    def digests():
        image.made()
        files = [path for path in sorted(image.folder.rglob("*")) if path.is_file()]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert digests() == digests()


def test_manifest_lists_header_facts_and_digests(image):
    rows = read_manifest(image.manifest().folder / "slices.tsv")
    assert [row.z for row in rows] == list(range(18))
    assert rows[9].file == "z10.jp2"
    assert (rows[9].width, rows[9].height, rows[9].bit_depth, rows[9].dtype) == (
        56,
        40,
        16,
        "uint16",
    )
    content = (image.folder.parent / "raw" / "z10.jp2").read_bytes()
    assert rows[9].sha256 == hashlib.sha256(content).hexdigest()
    assert rows[9].bytes == len(content)


def test_slab_without_foreground_still_leaves_a_shard(tmp_path):
    write_mask_stack(tmp_path / "raw", np.zeros((17, 40, 56), bool))
    mask = Channel(tmp_path / "mask", MASK, tmp_path / "raw").made()
    assert (mask.stack / "0" / "c" / "1" / "0" / "0").stat().st_size > 0
    assert not mask.voxels().any()
    assert mask.findings()["MASK_EMPTY"].severity == "warning"


def test_binary_masks_become_0_and_1(tmp_path):
    inside = STACK > 1000
    write_mask_stack(tmp_path / "raw", inside)
    mask = Channel(tmp_path / "mask", MASK, tmp_path / "raw").made()
    assert mask.voxels().dtype == np.uint8
    assert np.array_equal(mask.voxels() == 1, inside)


def test_labels_keep_their_values_in_the_type_of_the_files(tmp_path):
    z, y, x = np.indices(STACK.shape)
    labels = (z + 100 * (y // 10) + 7 * (x // 8)).astype(np.uint16)
    (tmp_path / "raw").mkdir()
    for z, values in enumerate(labels):
        Image.fromarray(values).save(tmp_path / "raw" / f"{z}.png")
    mask = Channel(tmp_path / "mask", MASK, tmp_path / "raw").made()
    assert mask.voxels().dtype == np.uint16
    assert np.array_equal(mask.voxels(), labels)


def test_third_value_in_a_two_valued_mask_is_a_doubt(tmp_path):
    write_mask_stack(tmp_path / "raw", STACK > 1000, ".png")
    odd = np.full((40, 56), 77, np.uint8)
    Image.fromarray(odd).save(tmp_path / "raw" / "m18.png")
    found = Channel(tmp_path / "mask", MASK, tmp_path / "raw").made().findings()
    assert found["MASK_DOUBT"].where.endswith("m18.png")


def test_every_fault_is_found_in_one_pass(image):
    raw = image.folder.parent / "raw"
    whole = (raw / "z3.jp2").read_bytes()
    (raw / "z3.jp2").write_bytes(whole[: len(whole) // 2])
    (raw / "z5.jp2").write_text("<html>")
    write_jp2_stack(raw / "other", STACK[:1, :34])
    (raw / "other" / "z1.jp2").rename(raw / "z17.jp2")
    found = image.made().findings()
    assert found["SLICE_UNREADABLE"].where.endswith("z3.jp2")
    assert found["SLICE_FORMAT"].where.endswith("z5.jp2")
    assert found["SLICE_SIZE"].where.endswith("z17.jp2")
    assert "is 56 x 34, the others 56 x 40" in found["SLICE_SIZE"].message


def test_file_that_changes_after_the_manifest_is_found(image):
    image.manifest()
    write_jp2_stack(image.folder.parent / "raw", STACK[::-1])
    assert image.slab(0).findings()["SLICE_CHANGED"].severity == "error"


def test_file_that_changes_under_the_manifest_is_found(image, monkeypatch):
    def describe(*arguments):
        described = describe_slices(*arguments)
        with (image.folder.parent / "raw" / "z3.jp2").open("ab") as file:
            file.write(b"more")
        return described

    monkeypatch.setattr(steps, "describe_slices", describe)
    found = image.manifest().findings()["SLICE_CHANGED"]
    assert (found.severity, found.where.rpartition("/")[2]) == ("error", "z3.jp2")


def test_manifest_is_made_anew_once_for_files_that_changed(image):
    plan, report = image.folder / "plan.json", image.folder / "0.json"
    assert made_anew_for(plan, [report], {}) is None
    image.made()
    assert made_anew_for(plan, [report], {}) is None
    write_jp2_stack(image.folder.parent / "raw", STACK[::-1])
    image.slab(0)
    first = made_anew_for(plan, [report], {})
    image.anew = first
    image.made()
    assert made_anew_for(plan, [report], {}) == first
    write_jp2_stack(image.folder.parent / "raw", STACK)
    image.slab(0)
    assert made_anew_for(plan, [report], {}) not in (None, first)


def test_slab_of_other_files_is_found(image):
    image.made()
    write_jp2_stack(image.folder.parent / "raw", STACK[::-1])
    assert image.manifest().findings()["STACK_STALE"].message.startswith("2 of 2 slabs")


def test_slab_of_another_plan_is_found(image):
    image.made()
    plan = read_json(image.folder / "plan.json")
    write_json(image.folder / "plan.json", {**plan, "dtype": "uint8"})
    assert "STACK_STALE" in image.findings()


def test_slabs_stay_good_where_slices_come_or_go_at_the_end(image):
    image.made()
    (image.folder.parent / "raw" / "z18.jp2").unlink()
    image.listing = list_slices(image.section["path"], image.section["pattern"])
    image.manifest().slab(1)
    assert "STACK_STALE" not in image.findings()
    assert np.array_equal(image.voxels(), STACK[:17])


def test_16_bit_slices_do_not_go_into_an_8_bit_channel(image):
    image.section["dtype"] = "uint8"
    image.made().findings()
    found = read_findings(image.folder / "findings.json")
    assert {each.severity for each in found if each.code == "SLICE_DTYPE"} == {"error"}
    whole = next(each for each in found if each.code == "SLICE_DTYPE")
    assert "18 of 18 slices" in whole.message
    assert "from 100 to 3,199: `dtype: uint16` would hold them" in whole.message


def test_8_bit_slices_go_into_a_16_bit_channel_unchanged(tmp_path):
    values = (STACK % 250).astype(np.uint8)
    (tmp_path / "raw").mkdir()
    for z, plane in enumerate(values):
        Image.fromarray(plane).save(tmp_path / "raw" / f"{z}.png")
    image = Channel(tmp_path / "image", IMAGE, tmp_path / "raw").made()
    assert image.voxels().dtype == np.uint16
    assert np.array_equal(image.voxels(), values)
    assert set(image.findings()) == {"SLICE_ORDER"}


def test_mask_is_compared_with_its_image(image, tmp_path):
    image.manifest()
    write_mask_stack(tmp_path / "masks", STACK[:17, :, :50] > 1000)
    mask = Channel(tmp_path / "mask", MASK, tmp_path / "masks").made()
    found = mask.findings(image.folder / "plan.json")
    assert "masks are 50 x 40, image slices 56 x 40" in found["SLICES_EXTENT"].message


def test_channel_without_slices_leaves_a_plan_and_no_traceback(tmp_path):
    (tmp_path / "raw").mkdir()
    empty = Channel(tmp_path / "image", IMAGE, tmp_path / "raw").manifest()
    plan, _ = read_plan(empty.folder / "plan.json")
    assert plan.extent == (0, 0, 0)
    assert set(empty.findings()) == {"SLICES_NONE"}


def test_file_that_breaks_its_decoder_is_a_finding_and_not_the_end(image, monkeypatch):
    image.manifest()
    decode = take_module.read_rows

    def crash(path, *rest):
        if path.name != "z4.jp2":
            return decode(path, *rest)
        # The tests' own one would tell of it at length.
        faulthandler.disable()
        os.abort()

    monkeypatch.setattr(take_module, "read_rows", crash)
    found = image.slab(0).findings()
    assert found["SLICE_HOSTILE"].where.endswith("z4.jp2")
    assert np.array_equal(image.voxels()[4:16], STACK[4:16])


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_large_slices_are_made_in_bands(tmp_path, monkeypatch, suffix):
    rng = np.random.default_rng(3)
    stack = rng.integers(0, 9000, (3, 1300, 1100)).astype(np.uint16)
    (tmp_path / "raw").mkdir()
    for z, plane in enumerate(stack):
        if suffix == ".tif":
            tifffile.imwrite(tmp_path / "raw" / f"{z}.tif", plane, tile=(256, 256))
        else:
            Image.fromarray(plane).save(tmp_path / "raw" / f"{z}.png")
    # A cuboid of a slab is 8 MiB: bands of one row of them, in shards of two.
    monkeypatch.setattr(plan_module, "BAND_BYTES", 2**24)
    monkeypatch.setattr(plan_module, "SHARD_BYTES", 2**24)
    image = Channel(tmp_path / "image", IMAGE, tmp_path / "raw").made()
    shards = {path.relative_to(image.stack / "0" / "c") for path in image.stack.glob("0/c/*/*/*")}
    assert {str(path) for path in shards} == {f"0/{y}/{x}" for y in range(3) for x in range(2)}
    assert np.array_equal(image.voxels(), stack)


def test_waived_errors_are_warnings_and_the_plan_names_them(image):
    image.section |= {"waive": ["SLICE_DEPTH"]}
    write_jp2_stack(image.folder.parent / "raw" / "odd", STACK[:1].astype(np.uint8))
    (image.folder.parent / "raw/odd/z1.jp2").replace(image.folder.parent / "raw/z1.jp2")
    found = image.made().findings()
    assert found["SLICE_DEPTH"].severity == "warning"
    assert "(waived)" in found["SLICE_DEPTH"].message
    assert read_json(image.folder / "plan.json")["decisions"]["waived"] == "SLICE_DEPTH"


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared sample data")
def test_real_slices_and_masks_raise_no_alarm(tmp_path):
    raw = SHARED / "mouse-brain-u16"
    image = Channel(tmp_path / "image", IMAGE | {"pattern": "*.jp2"}, raw / "slices").made()
    mask = Channel(tmp_path / "mask", MASK | {"pattern": "*.jpg"}, raw / "bright").made()
    found = [*image.findings().values(), *mask.findings(image.folder / "plan.json").values()]
    assert [each for each in found if each.severity != "note"] == []
    assert mask.voxels().max() == 1


@pytest.mark.parametrize("step", ["read_header", "read_rows"])
def test_a_file_system_that_fails_for_now_is_no_finding(image, monkeypatch, step):
    image.manifest()
    read = getattr(take_module, step)

    def fail(path, *rest):
        if path.name == "z4.jp2":
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return read(path, *rest)

    monkeypatch.setattr(take_module, step, fail)
    with pytest.raises(OSError, match="Stale file handle") as failed:
        image.slab(0)
    assert failed.value.filename.endswith("z4.jp2")
    assert not (image.folder / "0.json").exists()
