"""Rule draw_channel: stacks in, a contact sheet of a channel out."""

from brainpublish.joblog import job_log
from brainpublish.slices.draw import draw_channel

with job_log(snakemake.log[0]):
    draw_channel(settings=snakemake.params.settings, picture=snakemake.output.picture)
