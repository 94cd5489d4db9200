"""Rule map_features: resolved regions in, payloads out; features with an error are left out."""

from brainpublish.joblog import job_log
from brainpublish.regions.steps import map_features

with job_log(snakemake.log[0]):
    map_features(
        bucket=snakemake.params.bucket,
        regions=snakemake.input.regions,
        resolved=snakemake.input.resolved,
        spatial=dict(zip(("payloads", "findings"), snakemake.input.spatial, strict=False)),
        payloads=snakemake.output.payloads,
        coverage=snakemake.output.coverage,
        findings=snakemake.output.findings,
    )
