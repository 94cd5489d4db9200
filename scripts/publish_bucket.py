"""Rule publish_bucket. Key and token are read by the package, from environment or client file."""

from brainpublish.atlas.steps import publish_bucket
from brainpublish.joblog import job_log

with job_log(snakemake.log[0]):
    publish_bucket(
        settings=snakemake.params.settings,
        payloads=snakemake.input.payloads,
        receipt=snakemake.output.receipt,
    )
