# Takes the raw slices of each channel; leaves its manifest, its plan, its normalised stack,
# its findings and a picture to look at.


rule write_manifest:
    """List a channel's slices with header facts and digests, and plan its stack."""
    input:
        slices=channel_slices,
    output:
        manifest="results/volumes/{volume}/{channel}/slices.tsv",
        plan="results/volumes/{volume}/{channel}/plan.json",
        stamps="results/volumes/{volume}/{channel}/stamps.json",
        group="results/volumes/{volume}/{channel}/stack.zarr/zarr.json",
        array="results/volumes/{volume}/{channel}/stack.zarr/0/zarr.json",
    log:
        "logs/write_manifest/{volume}/{channel}.log",
    benchmark:
        "benchmarks/write_manifest/{volume}/{channel}.tsv"
    # The gate of the uploads waits for it.
    priority: 3
    conda:
        "../envs/volumes.yaml"
    threads: manifest_threads
    resources:
        mem_mb=1000,
    params:
        settings=manifest_settings,
    script:
        "../scripts/write_manifest.py"


rule prepare_slab:
    """Decode a slab's slices once, check and normalise them, and write its shard."""
    input:
        slices=slab_slices,
        manifest=waits_for(
            "results/volumes/{volume}/{channel}/slices.tsv", slab_is_settled
        ),
        plan=waits_for("results/volumes/{volume}/{channel}/plan.json", slab_is_settled),
        # Not read; where it is missing, an older version planned this stack otherwise.
        stamps=waits_for(
            "results/volumes/{volume}/{channel}/stamps.json", slab_is_settled
        ),
        array=waits_for(
            "results/volumes/{volume}/{channel}/stack.zarr/0/zarr.json",
            slab_is_settled,
        ),
    output:
        shard="results/volumes/{volume}/{channel}/stack.zarr/0/c/{slab}/0/0",
        report="results/volumes/{volume}/{channel}/slabs/{slab}.json",
    log:
        "logs/prepare_slab/{volume}/{channel}/{slab}.log",
    benchmark:
        "benchmarks/prepare_slab/{volume}/{channel}/{slab}.tsv"
    conda:
        "../envs/volumes.yaml"
    threads: channel_threads
    resources:
        mem_mb=prepare_memory,
    params:
        settings=slab_settings,
    script:
        "../scripts/prepare_slab.py"


rule check_channel:
    """Gather all findings of a channel; never stops, so that they are there to read."""
    input:
        plan="results/volumes/{volume}/{channel}/plan.json",
        # Read beside the plan, where the config fits slices of several sizes.
        manifest="results/volumes/{volume}/{channel}/slices.tsv",
        image=image_plan,
        reports=slab_reports,
    output:
        findings="results/volumes/{volume}/{channel}/findings.json",
    log:
        "logs/check_channel/{volume}/{channel}.log",
    benchmark:
        "benchmarks/check_channel/{volume}/{channel}.tsv"
    # It is short, and publishing waits for it.
    priority: 2
    conda:
        "../envs/volumes.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        channel=channel_section,
        code=code_of("check_channel.py"),
    script:
        "../scripts/check_channel.py"


rule draw_channel:
    """Draw a few slices of the image with the outlines of the masks, to look at."""
    input:
        plans=sheet_inputs("{folder}/plan.json"),
        arrays=sheet_inputs("{folder}/stack.zarr/0/zarr.json"),
        reports=sheet_inputs("{folder}/slabs/{slab}.json"),
    output:
        picture=SHEET,
    log:
        "logs/draw_channel/{volume}/{channel}.log",
    benchmark:
        "benchmarks/draw_channel/{volume}/{channel}.tsv"
    conda:
        "../envs/volumes.yaml"
    threads: 1
    resources:
        mem_mb=800,
    params:
        settings=sheet_settings,
    script:
        "../scripts/draw_channel.py"
