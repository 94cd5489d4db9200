# Takes the jobs that are to run; leaves a refusal if what they make does not fit on the disk.
import collections
import sys

from brainpublish.findings import as_text, errors_in
from brainpublish.slices.space import (
    Making,
    Storing,
    bytes_below,
    cuboids_of,
    space_findings,
)


def refuse_without_space(jobs):
    """Stop before any work if the disks are too small for what is to be made; warn if in doubt."""
    slices, slabs = collections.Counter(), collections.defaultdict(list)
    for job in jobs:
        if job.rule.name in ("prepare_slab", "upload_slab"):
            key = job.rule.name, job.wildcards.volume, job.wildcards.channel
            slices[key] += len(slab_places(job.wildcards))
            slabs[key].append(job.wildcards.slab)
    makings = [making_of(*key, slices[key], slabs[key]) for key in slices]
    found = space_findings(each for each in makings if each is not None)
    if errors_in(found):
        raise WorkflowError(f"Nothing was made or sent.\n{as_text(found)}")
    if found:
        print(as_text(found), file=sys.stderr)


def making_of(step, volume, channel, slices, slabs):
    """Return what jobs of a channel make on a disk of ours, or None if that cannot be told."""
    section, weight = CHANNELS[volume][channel], slice_weight(volume, channel)
    local = DESTINATION["bossdb"]["kind"] == "local"
    if weight is None or (step == "upload_slab" and not local):
        return None
    files = listing_of(volume, channel).files
    image = {"uint8": 1, "uint16": 2}.get(section["dtype"])
    common = {
        "section": section,
        "file": files[len(files) // 2],
        "voxels": slices * weight.height * weight.width,
        "cuboids": cuboids_of((slices, weight.height, weight.width)),
        "itemsize": image or weight.itemsize,
    }
    if step == "upload_slab":
        store = DESTINATION["bossdb"]["store"]
        held = bytes_below(f"{store}/bossdb/volumes/{section['name']}")
        downsample = CONFIG["bossdb"]["downsample"]
        return Storing(**common, folder=store, held=held, downsample=downsample)
    stack = f"results/volumes/{volume}/{channel}/stack.zarr/0/c"
    held = bytes_below(*(f"{stack}/{slab}" for slab in slabs))
    return Making(**common, folder="results", held=held)
