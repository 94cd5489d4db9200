"""Rule upload_slab. The token is read by the package, from the environment."""

from pathlib import Path

from brainpublish.bossdb.bounds import workers
from brainpublish.bossdb.send import SlabFiles, upload_slab
from brainpublish.joblog import job_log

with job_log(snakemake.log[0]):
    upload_slab(
        settings=snakemake.params.settings,
        slab=int(snakemake.wildcards.slab),
        connections=snakemake.resources.connections,
        workers=workers(),
        files=SlabFiles(
            plan=snakemake.input.plan,
            report=snakemake.input.report,
            stack=Path(snakemake.input.plan).with_name("stack.zarr"),
            receipt=snakemake.params.receipt,
        ),
        output=snakemake.output.counts,
    )
