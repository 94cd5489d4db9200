"""The jobs of a channel's slices, from files to files."""

import logging
from dataclasses import asdict
from pathlib import Path

from brainpublish.files import read_json, write_json
from brainpublish.findings import Finding, as_text, findings_from, write_findings
from brainpublish.settled import made_from
from brainpublish.slices.check import check_slabs, compare_with_image
from brainpublish.slices.manifest import (
    StackPlan,
    describe_slices,
    read_manifest,
    write_manifest,
)
from brainpublish.slices.slab import SlabReport, normalise_slab, report_as_dict
from brainpublish.slices.slabs import slab_range
from brainpublish.slices.stack import write_slab, write_stack_metadata

log = logging.getLogger(__name__)


def make_manifest(
    settings: dict,
    files: list[str],
    threads: int,
    manifest: str,
    plan: str,
    stack: str | Path,
) -> None:
    """Write a channel's manifest, its plan with all findings so far, and its stack's metadata.

    Args:
        settings: the channel's own settings, what was found while its slices were listed,
            and the slices per slab, under channel, listing and depth.
        files: the slices' paths in z order.
        threads: slices read at once.
        manifest: path of the manifest to write.
        plan: path of the plan to write.
        stack: folder of the stack, `stack.zarr`.
    """
    channel = settings["channel"]
    found = findings_from(settings["listing"])
    if channel.get("published_from") == "uint32":
        found.append(Finding("MASK_UINT32", channel["name"], "`dtype: uint32` in the config"))
    described = describe_slices(channel, files, settings["depth"], threads)
    found += described.findings
    log.info("%d slices, extent (z, y, x) %s", len(files), described.plan.extent)
    write_manifest(manifest, described.slices)
    write_stack_metadata(stack, described.plan, channel)
    write_json(
        plan,
        {
            **asdict(described.plan),
            "digest": described.plan.digest,
            "findings": [asdict(each) for each in found],
        },
    )


def read_plan(path: str | Path) -> tuple[StackPlan, list[Finding]]:
    """Read a plan and the findings that came with it."""
    value = read_json(path)
    findings = findings_from(value["findings"])
    return StackPlan.from_dict(value), findings


def make_slab(
    settings: dict,
    slab: int,
    threads: int,
    manifest: str,
    plan: str,
    stack: str | Path,
    report: str,
) -> None:
    """Write a slab's shard and, after it, the report of what was found in its slices.

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
    stack_plan, _ = read_plan(plan)
    rows = read_manifest(manifest)
    z = slab_range(slab, stack_plan.depth, len(rows))
    values, found = normalise_slab(
        settings["channel"]["path"], rows[z.start : z.stop], stack_plan, threads
    )
    write_slab(stack, stack_plan, slab, values)
    log.info("slices %d to %d: %d findings", z.start, z.stop - 1, len(found.findings))
    write_json(report, {**report_as_dict(found), **made_from(settings)})


def gather_findings(
    channel: dict, plan: str, image: str | None, reports: list[str], findings: str
) -> None:
    """Write all findings of a channel.

    Args:
        channel: the channel's settings.
        plan: path of the channel's plan.
        image: path of its image's plan, if the channel is an annotation.
        reports: paths of the slabs' reports.
        findings: path of the findings to write.
    """
    stack_plan, found = read_plan(plan)
    where = channel["path"]
    if image is not None:
        found += compare_with_image(stack_plan, read_plan(image)[0], where)
    slabs = [SlabReport.from_dict(read_json(path)) for path in reports]
    known = {(finding.code, finding.where) for finding in found}
    found += [
        finding
        for finding in check_slabs(stack_plan, slabs, where)
        if (finding.code, finding.where) not in known
    ]
    log.info("findings:\n%s", as_text(found))
    write_findings(findings, found)
