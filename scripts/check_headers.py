"""Rule check_headers: the gate before slabs are sent one by one."""

from brainpublish.gate import pass_gate
from brainpublish.joblog import job_log

with job_log(snakemake.log[0]):
    pass_gate([*snakemake.input.channels, *snakemake.input.buckets], snakemake.output[0])
