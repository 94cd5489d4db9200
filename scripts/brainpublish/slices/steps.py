"""The jobs that read a channel's slices, from files to files."""

import logging
from dataclasses import asdict
from pathlib import Path

from brainpublish.files import compact_json, stamp_of_file, write_bytes, write_json
from brainpublish.findings import Finding, findings_from
from brainpublish.memory import keep_freed_memory
from brainpublish.settled import made_from
from brainpublish.slices.check import waived
from brainpublish.slices.colours import write_colours
from brainpublish.slices.describe import Description, describe_slices
from brainpublish.slices.discover import Place, files_of
from brainpublish.slices.manifest import (
    digest_of_rows,
    folder_of,
    read_manifest,
    write_manifest,
)
from brainpublish.slices.masks import label_of
from brainpublish.slices.normalise import normalise_slab
from brainpublish.slices.plan import read_plan
from brainpublish.slices.slab import SliceFacts, report_as_dict, report_of
from brainpublish.slices.slabs import slab_count, slab_range
from brainpublish.slices.stack import write_stack_metadata

log = logging.getLogger(__name__)


def make_manifest(
    settings: dict, threads: int, manifest: str, plan: str, stamps: str, stack: str | Path
) -> None:
    """Write a channel's manifest, its plan with all findings so far, and its stack's metadata.

    Where colour-coded labels have no table of ids yet, one is written beside the plan.

    Args:
        settings: the channel's own settings, its listing as `Listing.as_settings` gives it,
            and the slices per slab, under channel, listing and depth; and, where a run found
            that files had changed, what the manifest is made anew for, under anew. What else is
            in it brings the job about when that changes.
        threads: slices read at once.
        manifest: path of the manifest to write.
        plan: path of the plan to write.
        stamps: path to write size and time of each file to, by which a later run sees that an
            older file took its place.
        stack: folder of the stack, `stack.zarr`.
    """
    channel, listing = settings["channel"], settings["listing"]
    found = findings_from(listing["findings"])
    if channel.get("published_from") == "uint32":
        found.append(Finding("MASK_UINT32", channel["name"], "`dtype: uint32` in the config"))
    places = [Place(**place) for place in listing["places"]]
    before = _stamps(places)
    write_bytes(stamps, compact_json(before))
    described = describe_slices(channel, places, settings["depth"], threads)
    found = waived(found + described.findings, channel["waive"]) + _changed(before, _stamps(places))
    log.info("%d slices, extent (z, y, x) %s", len(places), described.plan.extent)
    write_manifest(manifest, described.slices)
    write_stack_metadata(stack, described.plan, channel)
    if described.colours:
        write_colours(Path(plan).with_name("colours.tsv"), described.colours)
    write_json(
        plan,
        {
            **asdict(described.plan),
            "digest": described.plan.digest,
            "rows": _rows_digests(described),
            "anew": settings.get("anew"),
            "decisions": _decisions(
                listing["decisions"] | described.decisions, described.plan, channel
            ),
            "findings": [asdict(each) for each in found],
        },
    )


def _stamps(places: list[Place]) -> dict[str, list[int] | None]:
    return {file: stamp_of_file(file) for file in files_of(places)}


def _changed(before: dict, after: dict) -> list[Finding]:
    """Return a finding for each file that was written to between two looks at it."""
    text = "was written to while its manifest was made"
    return [Finding("SLICE_CHANGED", file, text) for file in before if before[file] != after[file]]


def _rows_digests(described: Description) -> list[str]:
    """Return the digest of each slab's rows of the manifest."""
    rows, depth = described.slices, described.plan.depth
    ranges = (slab_range(slab, depth, len(rows)) for slab in range(slab_count(len(rows), depth)))
    return [digest_of_rows(rows[z.start : z.stop]) for z in ranges]


def _decisions(listed: dict, plan, channel: dict) -> dict:
    """Return in words what was decided about a channel's files, for its receipt."""
    decisions = dict(listed)
    if plan.cast.text:
        decisions["cast"] = plan.cast.text
    if plan.mask is not None:
        rule = plan.mask
        bound = "below" if rule.invert else "at least"
        threshold = "" if rule.threshold is None else f", foreground {bound} {rule.threshold:g}"
        decisions["mask"] = f"{rule.kind}{threshold}"
    if channel["waive"]:
        decisions["waived"] = ", ".join(channel["waive"])
    return decisions


def make_slab(
    settings: dict,
    slab: int,
    threads: int,
    manifest: str,
    plan: str,
    stack: str | Path,
    report: str,
) -> None:
    """Write a slab's shards and, after them, the report of what was found in its slices.

    Slices of ordinary size make one shard. Larger ones are made in bands of rows, of one or
    more rows of shards; the first shard, which Snakemake tracks, is finished last.

    Args:
        settings: the channel's own settings under channel, and all that the slab is made
            from: the record of it lets a later run see whether the slab is settled.
        slab: the slab's number.
        threads: slices decoded at once.
        manifest: path of the channel's manifest.
        plan: path of the channel's plan.
        stack: folder of the stack, `stack.zarr`.
        report: path of the report to write.
    """
    keep_freed_memory()
    channel = settings["channel"]
    stack_plan, _ = read_plan(plan)
    rows = read_manifest(manifest)
    z = slab_range(slab, stack_plan.depth, len(rows))
    mine, folder = rows[z.start : z.stop], folder_of(channel["path"])
    shards = Path(stack, "0", "c", str(slab))
    if all(stack_plan.extent):
        label = label_of(channel, stack_plan.mask)
        facts, cuboids = normalise_slab(folder, shards, mine, stack_plan, label, threads)
    else:
        # No file could be read, as the plan says; the shard is there for Snakemake alone.
        facts, cuboids = [SliceFacts()] * len(mine), {}
        write_bytes(shards / "0" / "0", b"")
    made = report_of(folder, mine, stack_plan, facts, cuboids)
    made = {**report_as_dict(made), "findings": waived(made.findings, channel["waive"])}
    log.info("slices %d to %d: %d findings", z.start, z.stop - 1, len(made["findings"]))
    made["findings"] = [asdict(finding) for finding in made["findings"]]
    write_json(report, {**made, **made_from(settings)})
