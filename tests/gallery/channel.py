"""One channel's findings, made by the steps that the rules call, without Snakemake."""

from pathlib import Path

from brainpublish.findings import Finding, read_findings
from brainpublish.slices.discover import list_slices
from brainpublish.slices.gather import gather_findings
from brainpublish.slices.pairing import fill_gaps, pair_with_image
from brainpublish.slices.slabs import slab_count
from brainpublish.slices.steps import make_manifest, make_slab
from zarrstacks import open_stack

COMMON = {
    "pattern": "*",
    "order": "auto",
    "gaps": "stop",
    "waive": [],
    "channel_of_file": None,
    "voxel_size": [2, 2, 5],
    "voxel_unit": "micrometers",
}
IMAGE = COMMON | {"name": "lab/fish/image", "role": "image", "dtype": "uint16"}
IMAGE |= {"scale": None, "offset": 0}
MASK = COMMON | {"name": "lab/fish/bone", "role": "annotation", "dtype": "uint64", "label": 1}
MASK |= {"kind": "auto", "threshold": "auto", "invert": False, "colours": None, "extra": "stop"}


class Channel:
    """A channel that was prepared and checked; `image` is the one that a mask belongs to."""

    def __init__(self, raw: Path, base: dict, keys: dict, image: "Channel | None" = None):
        self.section = {**base, "path": str(raw), **keys}
        self.folder = raw.parent / f"{raw.name} results"
        path, gaps = self.section["path"], self.section["gaps"]
        listing = list_slices(path, self.section["pattern"], self.section["order"])
        if image is None:
            self.listing = fill_gaps(listing, gaps, path)
        else:
            extra = self.section["extra"]
            self.listing = pair_with_image(listing, image.listing, gaps, path, extra)
        self._make(image)

    def _make(self, image: "Channel | None") -> None:
        plan, stack = self.folder / "plan.json", self.folder / "stack.zarr"
        manifest = self.folder / "slices.tsv"
        settings = {"channel": self.section, "listing": self.listing.as_settings(), "depth": 16}
        make_manifest(settings, 2, manifest, plan, self.folder / "stamps.json", stack)
        slabs = range(slab_count(len(self.listing.places), 16))
        reports = [self.folder / "slabs" / f"{slab}.json" for slab in slabs]
        for slab, report in zip(slabs, reports, strict=True):
            make_slab({"channel": self.section}, slab, 2, manifest, plan, stack, report)
            assert (stack / "0" / "c" / str(slab) / "0" / "0").is_file()
        beside = image.folder / "plan.json" if image else None
        gather_findings(self.section, plan, beside, reports, self.folder / "findings.json")

    @property
    def findings(self) -> list[Finding]:
        return read_findings(self.folder / "findings.json")

    def voxels(self):
        return open_stack(self.folder / "stack.zarr").read().result()
