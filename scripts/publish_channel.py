"""Rule publish_channel. The token is read by the package, from the environment."""

from brainpublish.bossdb.publish import publish_channel
from brainpublish.joblog import job_log

with job_log(snakemake.log[0]):
    publish_channel(
        settings=snakemake.params.settings,
        connections=snakemake.resources.connections,
        plan=snakemake.input.plan,
        manifest=snakemake.input.manifest,
        uploads=list(snakemake.input.uploads),
        output=snakemake.output.receipt,
    )
