# Takes checked stacks; leaves channels on BossDB, and a receipt for each. Nothing is sent
# before the gates of the whole config have passed.


rule check_findings:
    """Stop with everything that is wrong with any input, in one report."""
    input:
        channels=every_channel("results/volumes/{volume}/{channel}/findings.json"),
        buckets=every_bucket("results/features/{bucket}/findings.json"),
    output:
        "results/checked.json",
    log:
        "logs/check_findings/all.log",
    benchmark:
        "benchmarks/check_findings/all.tsv"
    # It is short, and publishing waits for it.
    priority: 2
    conda:
        "../envs/publish.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code_of("check_findings.py"),
    script:
        "../scripts/check_findings.py"


rule check_headers:
    """Stop with all that names, headers and tables tell, before any slice is decoded."""
    input:
        channels=every_channel("results/volumes/{volume}/{channel}/plan.json"),
        buckets=every_bucket("results/features/{bucket}/findings.json"),
    output:
        "results/headers_checked.json",
    log:
        "logs/check_headers/all.log",
    benchmark:
        "benchmarks/check_headers/all.tsv"
    # Uploads wait for it.
    priority: 3
    conda:
        "../envs/volumes.yaml"
    # It takes a moment, and keeps no core from a slab.
    threads: 0
    resources:
        mem_mb=500,
    params:
        pairs=masks_and_images(),
        code=code_of("check_headers.py"),
    script:
        "../scripts/check_headers.py"


rule create_resources:
    """Make a volume's collection, frame, experiment and channels, or compare them."""
    input:
        plans=volume_plans,
        gate=waits_for(upload_gate(), create_is_settled),
    output:
        resources="results/uploads/{volume}/resources.json",
    log:
        "logs/create_resources/{volume}.log",
    benchmark:
        "benchmarks/create_resources/{volume}.tsv"
    # Uploads wait for it.
    priority: 3
    conda:
        "../envs/publish.yaml"
    # It takes a moment, and keeps no core from a slab.
    threads: 0
    resources:
        uploads=1,
        connections=CONFIG["bossdb"]["connections"],
        mem_mb=500,
    params:
        settings=create_settings,
    script:
        "../scripts/create_resources.py"


rule upload_slab:
    """Send the cuboids of a slab that the server does not hold, and read them back."""
    input:
        shard="results/volumes/{volume}/{channel}/stack.zarr/0/c/{slab}/0/0",
        report="results/volumes/{volume}/{channel}/slabs/{slab}.json",
        plan=waits_for(
            "results/volumes/{volume}/{channel}/plan.json", upload_is_settled
        ),
        gate=waits_for(upload_gate(), upload_is_settled),
        resources=waits_for(
            "results/uploads/{volume}/resources.json", upload_is_settled
        ),
    output:
        counts="results/uploads/{volume}/{channel}/{slab}.json",
    log:
        "logs/upload_slab/{volume}/{channel}/{slab}.log",
    benchmark:
        "benchmarks/upload_slab/{volume}/{channel}/{slab}.tsv"
    # The network works beside the cores that decode.
    priority: 1
    conda:
        "../envs/publish.yaml"
    # It waits for the network most of the time, while the cores decode the next slab.
    threads: 0
    resources:
        uploads=1,
        connections=CONFIG["bossdb"]["connections"],
        mem_mb=upload_memory,
    params:
        settings=upload_settings,
        receipt="results/receipts/bossdb/{volume}/{channel}.json",
    script:
        "../scripts/upload_slab.py"


rule publish_channel:
    """Start downsampling, set visibility and, last of all, write a channel's receipt."""
    input:
        uploads=slab_uploads,
        manifest="results/volumes/{volume}/{channel}/slices.tsv",
        plan=waits_for(
            "results/volumes/{volume}/{channel}/plan.json", publish_is_settled
        ),
        gate=waits_for(CHECKED, publish_is_settled),
        resources=waits_for(
            "results/uploads/{volume}/resources.json", publish_is_settled
        ),
    output:
        receipt="results/receipts/bossdb/{volume}/{channel}.json",
    log:
        "logs/publish_channel/{volume}/{channel}.log",
    benchmark:
        "benchmarks/publish_channel/{volume}/{channel}.tsv"
    # It is short, and its receipt is what a run is for.
    priority: 2
    conda:
        "../envs/publish.yaml"
    # It waits for the network most of the time, and keeps no core from the pictures.
    threads: 0
    resources:
        connections=CONFIG["bossdb"]["connections"],
        mem_mb=1000,
    params:
        settings=publish_settings,
    script:
        "../scripts/publish_channel.py"
