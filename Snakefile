# Publishes brain volumes to BossDB and region features to the IBL atlas website.
# The targets: all (publish everything; the default) and check (stop before anything is sent).
from snakemake.utils import min_version

min_version("9.27")


# A config given on the command line stands alone: merged into the shipped one, it would
# publish the shipped example beside it.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/slabs.smk"
include: "rules/runs.smk"
include: "rules/buckets.smk"
include: "rules/gates.smk"
include: "rules/uploads.smk"
include: "rules/space.smk"


rule all:
    """Publish everything that the config names, and leave a receipt for each."""
    input:
        channel_receipts(),
        bucket_receipts(),
        CHECKED,
        every_channel(SHEET),
    localrule: True


rule check:
    """Make and check all intermediates; needs no network and no token."""
    input:
        CHECKED,
        every_channel(SHEET),
        every_bucket(PICTURES),
    localrule: True


include: "rules/volumes.smk"
include: "rules/features.smk"
include: "rules/publish.smk"


onstart:
    RUN_LOCK = hold_folder()
    refuse_without_secrets(job.rule.name for job in workflow.dag.needrun_jobs())
    refuse_without_space(workflow.dag.needrun_jobs())
    tell_of_progress(workflow.dag.needrun_jobs())
    look_for_jobs_when_one_ends()
    start_what_needs_no_core()
    spare_pandas()


onsuccess:
    print(run_summary())


onerror:
    print(how_far())
