# Takes the config; leaves what the rules ask of it: sections, files, gates, secrets.
import functools
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/scripts")

from brainpublish import runs
from brainpublish.bossdb.bounds import UPLOADS, memory_bound
from brainpublish.codedigest import code_digest, run_jobs_from
from brainpublish.config import (
    channels_of,
    destination_of,
    load_config,
    resource_section,
)
from brainpublish.files import size_of_file
from brainpublish.findings import Refusal
from brainpublish.slices.guarded import HEADER_LIMITS, guarded_map
from brainpublish.slices.discover import files_of, list_slices
from brainpublish.slices.pairing import fill_gaps, pair_with_image
from brainpublish.slices.plan import slab_memory
from brainpublish.slices.slabs import slab_count, slab_depth
from brainpublish.slices.weight import Weight, weight_of
from brainpublish.settled import (
    distrust_times,
    entry_of,
    is_settled,
    made_from,
    record_of,
)
from brainpublish.summary import run_summary


wildcard_constraints:
    volume=r"[A-Za-z0-9_-]+",
    channel=r"[A-Za-z0-9_-]+",
    bucket=r"[A-Za-z0-9_.-]+",
    slab=r"\d+",


run_jobs_from(f"{workflow.basedir}/scripts")
if workflow.is_main_process:
    runs.end_left_over_jobs(functools.partial(print, file=sys.stderr))
    distrust_times()

try:
    CONFIG = load_config(
        config, Path(workflow.basedir, "config/schemas/config.schema.json")
    )
except Refusal as refusal:
    raise WorkflowError(str(refusal)) from None

# Cores that one image is decoded on, if its slabs are too few to take as many by twos.
MOST_CORES = 8
CHANNELS = channels_of(CONFIG)
DESTINATION = destination_of(CONFIG)
# Upload jobs share the requests in flight.
workflow.register_resource("uploads", UPLOADS)


@functools.cache
def code_of(script):
    return code_digest(Path(workflow.basedir, "scripts", script))


@functools.cache
def listing_of(volume, channel):
    section = CHANNELS[volume][channel]
    listing = list_slices(section["path"], section["pattern"], section["order"])
    if section["role"] == "image":
        return fill_gaps(listing, section["gaps"], section["path"])
    image = listing_of(volume, image_of(volume))
    gaps, extra = section["gaps"], section["extra"]
    return pair_with_image(listing, image, gaps, section["path"], extra)


@functools.cache
def slice_weight(volume, channel):
    # All slices of a stack are of one size, so a good one tells. Of others, the largest file.
    section, files = CHANNELS[volume][channel], listing_of(volume, channel).files
    some = {files[i] for i in (0, len(files) // 2, -1)} if files else set()
    if section["fit"] and files:
        some.add(max(files, key=size_of_file))
    measure = functools.partial(weight_of, section=section)
    weights = guarded_map(measure, sorted(some), 1, HEADER_LIMITS)
    return max((each for each in weights if isinstance(each, Weight)), default=None)


@functools.cache
def depth_of(volume, channel):
    count = len(listing_of(volume, channel).places)
    setting = CONFIG["volumes"][volume]["slab_depth"]
    weight = slice_weight(volume, channel) if setting == "auto" else None
    if weight is None:
        return slab_depth(count, setting)
    return slab_depth(count, setting, weight.bytes, weight.format == "jp2")


def slabs_of(volume, channel):
    count = len(listing_of(volume, channel).places)
    return range(slab_count(count, depth_of(volume, channel)))


def channel_section(wildcards):
    return CHANNELS[wildcards.volume][wildcards.channel]


def channel_slices(wildcards):
    return listing_of(wildcards.volume, wildcards.channel).files


def slab_places(wildcards):
    depth, slab = depth_of(wildcards.volume, wildcards.channel), int(wildcards.slab)
    places = listing_of(wildcards.volume, wildcards.channel).places
    return places[slab * depth : (slab + 1) * depth]


def slab_slices(wildcards):
    return files_of(slab_places(wildcards))


def slab_reports(wildcards):
    return expand(
        "results/volumes/{volume}/{channel}/slabs/{slab}.json",
        slab=slabs_of(wildcards.volume, wildcards.channel),
        allow_missing=True,
    )


def slab_uploads(wildcards):
    return expand(
        "results/uploads/{volume}/{channel}/{slab}.json",
        slab=slabs_of(wildcards.volume, wildcards.channel),
        allow_missing=True,
    )


def image_plan(wildcards):
    section = channel_section(wildcards)
    if section["role"] == "image":
        return []
    return f"results/volumes/{wildcards.volume}/{image_of(wildcards.volume)}/plan.json"


def image_of(volume):
    return next(
        name for name, section in CHANNELS[volume].items() if section["role"] == "image"
    )


def masks_and_images():
    """Return settings and plan of each annotation, and the plan of its image."""
    plan = "results/volumes/{}/{}/plan.json"
    return [
        {
            "channel": section,
            "plan": plan.format(volume, channel),
            "image": plan.format(volume, image_of(volume)),
        }
        for volume, channels in CHANNELS.items()
        for channel, section in channels.items()
        if section["role"] == "annotation"
    ]


def every_channel(path):
    return [
        path.format(volume=volume, channel=channel)
        for volume, channels in CHANNELS.items()
        for channel in channels
    ]


def every_bucket(path):
    return [path.format(bucket=bucket) for bucket in CONFIG["buckets"]]


def channel_receipts():
    return every_channel("results/receipts/bossdb/{volume}/{channel}.json")


def bucket_receipts():
    return every_bucket("results/receipts/atlas/{bucket}.json")


def channel_threads(wildcards):
    # Masks are light work: two channels of them are worked on beside each other, so that the
    # start and the end of one job keep no core from the other. An image of few slabs has more
    # cores for each, as far as there are more.
    if channel_section(wildcards)["role"] != "image":
        return 1
    return max(2, MOST_CORES // len(slabs_of(wildcards.volume, wildcards.channel)))


def manifest_threads(wildcards):
    # Channels beside each other keep all cores busy sooner than one after the other would.
    return 2 if sum(map(len, CHANNELS.values())) == 1 else 1


def prepare_memory(wildcards, threads):
    weight = slice_weight(wildcards.volume, wildcards.channel)
    if weight is None:
        return 1000
    dtype = CHANNELS[wildcards.volume][wildcards.channel]["dtype"]
    itemsize = max(weight.itemsize, 2 if dtype == "uint16" else 1)
    shape = (weight.height, weight.width)
    return slab_memory(shape, itemsize, weight.block, threads, weight.stored)


def upload_memory(wildcards):
    dtype = CHANNELS[wildcards.volume][wildcards.channel]["dtype"]
    local = DESTINATION["bossdb"]["kind"] == "local"
    return memory_bound(CONFIG["bossdb"]["connections"], dtype, local)
