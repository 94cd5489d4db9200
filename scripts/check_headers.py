"""Rule check_headers: the gate before slabs are sent one by one."""

from brainpublish.gate import pass_gate
from brainpublish.joblog import job_log
from brainpublish.slices.gather import differences_from_image

with job_log(snakemake.log[0]):
    differences = [
        finding for pair in snakemake.params.pairs for finding in differences_from_image(**pair)
    ]
    inputs = [*snakemake.input.channels, *snakemake.input.buckets]
    pass_gate(inputs, snakemake.output[0], differences)
