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
    conda:
        "../envs/publish.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code_of("check_headers.py"),
    script:
        "../scripts/check_headers.py"


rule create_resources:
    """Make a volume's collection, frame, experiment and channels, or compare them."""
    input:
        plans=ancient(volume_plans),
        gate=ancient(upload_gate()),
    output:
        resources="results/uploads/{volume}/resources.json",
    log:
        "logs/create_resources/{volume}.log",
    benchmark:
        "benchmarks/create_resources/{volume}.tsv"
    conda:
        "../envs/publish.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        channels=volume_sections,
        destination=bossdb_destination(),
        code=code_of("create_resources.py"),
    script:
        "../scripts/create_resources.py"


rule upload_slab:
    """Send the cuboids of a slab that the server does not hold, and read them back."""
    input:
        shard="results/volumes/{volume}/{channel}/stack.zarr/0/c/{slab}/0/0",
        report="results/volumes/{volume}/{channel}/slabs/{slab}.json",
        plan=ancient("results/volumes/{volume}/{channel}/plan.json"),
        gate=ancient(upload_gate()),
        resources=ancient("results/uploads/{volume}/resources.json"),
    output:
        counts="results/uploads/{volume}/{channel}/{slab}.json",
    log:
        "logs/upload_slab/{volume}/{channel}/{slab}.log",
    benchmark:
        "benchmarks/upload_slab/{volume}/{channel}/{slab}.tsv"
    conda:
        "../envs/publish.yaml"
    threads: 1
    resources:
        connections=CONFIG["bossdb"]["connections"],
        mem_mb=2000,
    params:
        channel=channel_section,
        destination=bossdb_destination(),
        verify={key: CONFIG["bossdb"][key] for key in ("verify", "sample_share")},
        code=code_of("upload_slab.py"),
    script:
        "../scripts/upload_slab.py"


rule publish_channel:
    """Start downsampling, set visibility and, last of all, write a channel's receipt."""
    input:
        uploads=slab_uploads,
        manifest="results/volumes/{volume}/{channel}/slices.tsv",
        plan=ancient("results/volumes/{volume}/{channel}/plan.json"),
        gate=ancient("results/checked.json"),
        resources=ancient("results/uploads/{volume}/resources.json"),
    output:
        receipt="results/receipts/bossdb/{volume}/{channel}.json",
    log:
        "logs/publish_channel/{volume}/{channel}.log",
    benchmark:
        "benchmarks/publish_channel/{volume}/{channel}.tsv"
    conda:
        "../envs/publish.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        channel=channel_section,
        destination=bossdb_destination(),
        verify={key: CONFIG["bossdb"][key] for key in ("verify", "sample_share")},
        after={key: CONFIG["bossdb"][key] for key in ("downsample", "public")},
        code=code_of("publish_channel.py"),
    script:
        "../scripts/publish_channel.py"
