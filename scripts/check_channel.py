"""Rule check_channel: all findings of a channel in one file."""

from brainpublish.joblog import job_log
from brainpublish.slices.gather import gather_findings

with job_log(snakemake.log[0]):
    gather_findings(
        channel=snakemake.params.channel,
        plan=snakemake.input.plan,
        image=snakemake.input.get("image") or None,
        reports=list(snakemake.input.reports),
        findings=snakemake.output.findings,
    )
