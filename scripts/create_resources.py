"""Rule create_resources. The token is read by the package, from the environment."""

from brainpublish.bossdb.create import create_volume
from brainpublish.joblog import job_log

with job_log(snakemake.log[0]):
    create_volume(
        settings=snakemake.params.settings,
        connections=snakemake.resources.connections,
        plans=list(snakemake.input.plans),
        output=snakemake.output.resources,
    )
