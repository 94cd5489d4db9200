"""Rule write_manifest: what the headers and digests of a channel's slices tell."""

from pathlib import Path

from brainpublish.halts import ending_with_run
from brainpublish.joblog import job_log
from brainpublish.slices.steps import make_manifest

with job_log(snakemake.log[0]), ending_with_run():
    make_manifest(
        settings=snakemake.params.settings,
        threads=snakemake.threads,
        manifest=snakemake.output.manifest,
        plan=snakemake.output.plan,
        stamps=snakemake.output.stamps,
        stack=Path(snakemake.output.group).parent,
    )
