# Takes the jobs that are to run; leaves what a run does before the first of them.
import sys

from brainpublish.atlas.tokens import missing_atlas_secrets
from brainpublish.bossdb.connect import refusal_of_remote
from brainpublish.console import say
from brainpublish.halts import Halts
from brainpublish.overall import DECODED, SENT, SlabWork, watch

SENDING_RULES = {
    "bossdb": {"create_resources", "upload_slab", "publish_channel"},
    "atlas": {"publish_bucket"},
}


def hold_folder():
    """Return a lock on the working directory that ends with this process, however it ends."""
    try:
        lock = runs.begin_run(print)
    except Refusal as refusal:
        raise WorkflowError(str(refusal)) from None
    halts = Halts(runs.FOLDER)

    def end(name):
        # Snakemake waits for running jobs after SIGTERM, however long they take; those that can
        # end at any moment are to hear of it.
        halts.call_for_signal(name)
        if name == "SIGTERM":
            workflow.scheduler.exit_gracefully()

    runs.on_end_by_signal(end)
    return lock


def look_for_jobs_when_one_ends():
    """Spare needless looks for jobs to start, where cores are the limit and not a queue.

    With its limit on jobs per second, Snakemake looks again a second after each look, and
    each of these brings about another one, on and on.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


def start_what_needs_no_core():
    """Let jobs of no threads begin while all cores are busy: uploads beside decoding.

    Snakemake looks at no job at all while no core is free. Half a core, which no other job
    fits on, makes it look.
    """
    if workflow.local_exec:
        workflow.scheduler.resources["_cores"] += 0.5


def spare_pandas():
    """Let Snakemake do without pandas, of which no parameter of ours is a table.

    It imports pandas, in 0.4 s, only to see whether parameters of the first job are tables of
    it, while no other job is started. A None here says that there is no such package; jobs are
    processes of their own, and import what they like.
    """
    sys.modules.setdefault("pandas", None)


# Of a run that began: a function that returns how far it got.
HOW_FAR = []


def how_far():
    """Return how much of the slabs of this run is decoded and sent, if it began."""
    return "".join(tell() for tell in HOW_FAR)


def tell_of_progress(jobs):
    """Tell every half minute how much of the slabs of a run is decoded and sent."""
    kinds = {"prepare_slab": DECODED, "upload_slab": SENT}
    slabs = [
        SlabWork(kinds[job.rule.name], str(job.output[-1]), slab_weight(job.wildcards))
        for job in jobs
        if job.rule.name in kinds
    ]
    overlap = CONFIG["bossdb"]["gate"] == "slab"
    HOW_FAR.append(watch(slabs, overlap, lambda line: say(f"\n{line}\n\n", sys.stderr)))


def refuse_without_secrets(rules):
    """Stop before any work if a secret that a job of this run needs is nowhere, or refused."""
    rules = set(rules)
    missing = []
    if rules & SENDING_RULES["bossdb"] and DESTINATION["bossdb"]["kind"] == "remote":
        bossdb = DESTINATION["bossdb"]
        refusal = refusal_of_remote(bossdb["protocol"], bossdb["host"])
        missing += [str(refusal)] if refusal else []
    if rules & SENDING_RULES["atlas"]:
        missing += missing_atlas_secrets(DESTINATION["atlas"], list(CONFIG["buckets"]))
    if missing:
        raise WorkflowError("\n".join(missing))
