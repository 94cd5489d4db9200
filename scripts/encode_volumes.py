"""Rule encode_volumes: points and volumes in, payloads out; bad data never stops it."""

from brainpublish.joblog import job_log
from brainpublish.regions.spatial import encode_volumes

with job_log(snakemake.log[0]):
    encode_volumes(
        bucket=snakemake.params.bucket,
        payloads=snakemake.output.payloads,
        findings=snakemake.output.findings,
    )
