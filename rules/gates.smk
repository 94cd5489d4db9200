# Takes sections of the config; leaves the settings of each job, and the inputs it waits for.
# A settled job waits for its gate only if it runs anyway: see brainpublish.settled.
from brainpublish.slices.changes import changed_files, made_anew_for, replaced_files

CHECKED = "results/checked.json"
SHEET = "results/volumes/{volume}/{channel}/contact_sheet.png"


def channel_folder(wildcards):
    return f"results/volumes/{wildcards.volume}/{wildcards.channel}"


def waits_for(path, settled):
    """Return an input function: the path, `ancient` for jobs that are settled."""

    def edge(wildcards):
        actual = path.format(**wildcards)
        return ancient(actual) if settled(wildcards) else actual

    return edge


def is_forced(rule):
    """Say whether the command line asks for jobs of a rule to run, or may ask by a file's name."""
    asked = workflow.dag_settings
    names = {*asked.forcerun, *(asked.targets if asked.forcetargets else ())}
    return rule in names or any(not workflow.is_rule(name) for name in names)


def is_left_undone(record):
    """Say whether a run was killed while the job worked that leaves a record: it is repeated."""
    return bool(workflow.persistence._filter_incomplete_keys([record]))


def stands(rule, record, expected, inputs):
    """Say whether a job is settled: Snakemake does not see what is forced behind a gate either."""
    runs_anyway = is_forced(rule) or is_left_undone(record)
    return not runs_anyway and is_settled(record, expected, inputs)


def source_section(wildcards):
    """Return what the slices of a channel are made into a stack from."""
    section = channel_section(wildcards)
    return {key: value for key, value in section.items() if key != "adopt"}


@functools.cache
def replaced_slices(volume, channel):
    """Return the slices that others took the place of, unseen by Snakemake, and what they are."""
    stamps = f"results/volumes/{volume}/{channel}/stamps.json"
    return replaced_files(stamps, listing_of(volume, channel).files)


def manifest_settings(wildcards):
    return {
        "channel": source_section(wildcards),
        "listing": listing_settings(wildcards.volume, wildcards.channel),
        "depth": depth_of(wildcards.volume, wildcards.channel),
        "anew": made_anew_for(
            f"{channel_folder(wildcards)}/plan.json",
            [path.format(**wildcards) for path in slab_reports(wildcards)],
            replaced_slices(wildcards.volume, wildcards.channel),
        ),
        "code": code_of("write_manifest.py"),
    }


def slab_settings(wildcards):
    listing = listing_settings(wildcards.volume, wildcards.channel)
    return {
        "channel": source_section(wildcards),
        "places": listing["places"][slab_part(wildcards)],
        "code": code_of("prepare_slab.py"),
    }


def slab_is_settled(wildcards):
    folder = channel_folder(wildcards)
    plan, record = f"{folder}/plan.json", f"{folder}/slabs/{wildcards.slab}.json"
    expected = {
        **made_from(slab_settings(wildcards)),
        "plan": entry_of(plan, "digest"),
        "rows": dict(enumerate(entry_of(plan, "rows", list) or [])).get(
            int(wildcards.slab)
        ),
    }
    # The record may be newer than files that changed while it was made; the manifest, by
    # whose digests it was made, is not.
    slices = slab_slices(wildcards)
    current = is_settled(plan, {}, slices) and not changed_files(record)
    replaced = replaced_slices(wildcards.volume, wildcards.channel)
    kept = replaced.keys().isdisjoint(slices)
    return current and kept and stands("prepare_slab", record, expected, [])


def sheet_layers(wildcards):
    """Return the channels that a sheet shows: the image, and its masks or the mask it is of."""
    image = image_of(wildcards.volume)
    masks = [each for each in CHANNELS[wildcards.volume] if each != image]
    return [image, *([wildcards.channel] if wildcards.channel in masks else masks)]


def sheet_settings(wildcards):
    volume = wildcards.volume
    return {
        "title": CHANNELS[volume][wildcards.channel]["name"],
        "layers": [
            {
                "name": channel,
                "folder": f"results/volumes/{volume}/{channel}",
                "slabs": len(slabs_of(volume, channel)),
            }
            for channel in sheet_layers(wildcards)
        ],
        "code": code_of("draw_channel.py"),
    }


def sheet_inputs(path):
    """Return an input function: a path of each channel that a sheet shows, or of its slabs."""

    def paths(wildcards):
        return [
            file
            for layer in sheet_settings(wildcards)["layers"]
            for file in expand(path, folder=layer["folder"], slab=range(layer["slabs"]))
        ]

    return paths
