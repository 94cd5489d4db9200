"""Rule draw_bucket: payloads in, a picture of each feature out."""

from pathlib import Path

from brainpublish.joblog import job_log
from brainpublish.regions.pictures import draw_bucket

with job_log(snakemake.log[0]):
    draw_bucket(
        payloads=snakemake.input.payloads,
        folder=Path(snakemake.output.index).with_suffix(""),
        code=snakemake.params.code,
        index=snakemake.output.index,
    )
