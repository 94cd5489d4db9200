"""Rule resolve_regions: tables in, resolved regions and findings out; bad data never stops it."""

from brainpublish.joblog import job_log
from brainpublish.regions.resolved import resolve

with job_log(snakemake.log[0]):
    resolve(
        bucket=snakemake.params.bucket,
        regions=snakemake.output.regions,
        findings=snakemake.output.findings,
    )
