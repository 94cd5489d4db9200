"""The job that gathers a channel's findings, from files to a file."""

import logging
from pathlib import Path

from brainpublish.files import read_json
from brainpublish.findings import Finding, as_text, write_findings
from brainpublish.slices.check import (
    check_sides,
    check_slabs,
    compare_slices,
    compare_with_image,
    waived,
)
from brainpublish.slices.manifest import folder_of, read_manifest
from brainpublish.slices.plan import read_plan, read_rows_digests
from brainpublish.slices.slab import SlabReport

MANIFEST = "slices.tsv"

log = logging.getLogger(__name__)


def differences_from_image(channel: dict, plan: str, image: str) -> list[Finding]:
    """Return in which sizes an annotation and its image differ, by their headers alone.

    Args:
        channel: the annotation's settings.
        plan: path of its plan, beside its manifest.
        image: path of its image's plan, beside the image's manifest.
    """
    stack_plan, where = read_plan(plan)[0], channel["path"]
    found = compare_with_image(stack_plan, read_plan(image)[0], where)
    if stack_plan.fit is not None:
        manifests = [read_manifest(Path(each).with_name(MANIFEST)) for each in (plan, image)]
        found += compare_slices(str(folder_of(where)), stack_plan, *manifests)
    return waived(found, channel["waive"])


def gather_findings(
    channel: dict, plan: str, image: str | None, reports: list[str], findings: str
) -> None:
    """Write all findings of a channel.

    Args:
        channel: the channel's settings.
        plan: path of the channel's plan, beside its manifest.
        image: path of its image's plan, if the channel is an annotation.
        reports: paths of the slabs' reports.
        findings: path of the findings to write.
    """
    stack_plan, found = read_plan(plan)
    where = channel["path"]
    if image is not None:
        found += differences_from_image(channel, plan, image)
    rows = read_rows_digests(plan)
    slabs = [SlabReport.from_dict(read_json(path)) for path in reports]
    if stack_plan.mask is not None:
        manifest = read_manifest(Path(plan).with_name(MANIFEST))
        turned = check_sides(folder_of(where), stack_plan, manifest, slabs)
        found += waived(turned, channel["waive"])
    known = {(finding.code, finding.where) for finding in found}
    found += [
        finding
        for finding in waived(check_slabs(stack_plan, rows, slabs, where), channel["waive"])
        if (finding.code, finding.where) not in known
    ]
    log.info("findings:\n%s", as_text(found))
    write_findings(findings, found)
