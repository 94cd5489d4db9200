# Takes the sections of channels; leaves their slices in slabs, and what a job of each may take.
from brainpublish.bossdb.bounds import memory_bound
from brainpublish.files import size_of_file
from brainpublish.slices.discover import files_of, list_slices
from brainpublish.slices.guarded import HEADER_LIMITS, guarded_map
from brainpublish.slices.pairing import fill_gaps, pair_with_image
from brainpublish.slices.plan import slab_memory
from brainpublish.slices.slabs import slab_count, slab_depth
from brainpublish.slices.weight import Weight, weight_of

# Bytes of files that are decoded, or sent, in about the time that a job takes to begin and end.
JOB_BYTES = 5_000_000

# Cores that one image is decoded on, if its slabs are too few to take as many by twos.
MOST_CORES = 8


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
def listing_settings(volume, channel):
    return listing_of(volume, channel).as_settings()


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
    return slab_depth(count, setting, weight.bytes, weight.format)


def slabs_of(volume, channel):
    count = len(listing_of(volume, channel).places)
    return range(slab_count(count, depth_of(volume, channel)))


def channel_slices(wildcards):
    return listing_of(wildcards.volume, wildcards.channel).files


def slab_part(wildcards):
    depth, slab = depth_of(wildcards.volume, wildcards.channel), int(wildcards.slab)
    return slice(slab * depth, (slab + 1) * depth)


def slab_places(wildcards):
    listing = listing_of(wildcards.volume, wildcards.channel)
    return listing.places[slab_part(wildcards)]


def slab_slices(wildcards):
    return files_of(slab_places(wildcards))


def slab_weight(wildcards):
    """Return what a slab's decoding, or sending, is of a run's, about: the bytes of its files."""
    files = slab_slices(wildcards)
    some = files[len(files) // 2 : len(files) // 2 + 1]
    return JOB_BYTES + sum(map(size_of_file, some)) * len(files)


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
