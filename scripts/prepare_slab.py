"""Rule prepare_slab: the only place where slices are decoded."""

from pathlib import Path

from brainpublish.halts import ending_with_run
from brainpublish.joblog import job_log
from brainpublish.slices.steps import make_slab

with job_log(snakemake.log[0]), ending_with_run():
    make_slab(
        settings=snakemake.params.settings,
        slab=int(snakemake.wildcards.slab),
        threads=snakemake.threads,
        manifest=snakemake.input.manifest,
        plan=snakemake.input.plan,
        stack=Path(snakemake.input.array).parents[1],
        report=snakemake.output.report,
    )
