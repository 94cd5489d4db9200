# Takes tables of values per region; leaves for each bucket its resolved regions, its payloads,
# all findings, and, once the gate is passed, the receipt of what the atlas service holds.


rule resolve_regions:
    """Read a bucket's tables and say which region and side each value belongs to."""
    input:
        tables=bucket_tables,
    output:
        regions="results/features/{bucket}/regions.tsv",
        findings="results/features/{bucket}/resolved.json",
    log:
        "logs/resolve_regions/{bucket}.log",
    benchmark:
        "benchmarks/resolve_regions/{bucket}.tsv"
    # The gate of the uploads waits for it.
    priority: 3
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        bucket=bucket_section,
        code=code_of("resolve_regions.py"),
    script:
        "../scripts/resolve_regions.py"


rule encode_volumes:
    """Bring a bucket's points and volumes to the grid of the website."""
    input:
        files=bucket_volumes,
    output:
        payloads="results/features/{bucket}/volumes.json",
        findings="results/features/{bucket}/encoded.json",
    log:
        "logs/encode_volumes/{bucket}.log",
    benchmark:
        "benchmarks/encode_volumes/{bucket}.tsv"
    # The gate of the uploads waits for it.
    priority: 3
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        bucket=spatial_section,
        code=code_of("encode_volumes.py"),
    script:
        "../scripts/encode_volumes.py"


rule map_features:
    """Map a bucket's values to what the website draws, one payload per feature."""
    input:
        regions="results/features/{bucket}/regions.tsv",
        resolved="results/features/{bucket}/resolved.json",
        spatial=encoded_volumes,
    output:
        payloads="results/features/{bucket}/payloads.json",
        coverage="results/features/{bucket}/coverage.tsv",
        findings="results/features/{bucket}/findings.json",
    log:
        "logs/map_features/{bucket}.log",
    benchmark:
        "benchmarks/map_features/{bucket}.tsv"
    # The gate of the uploads waits for it.
    priority: 3
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        bucket=bucket_section,
        code=code_of("map_features.py"),
    script:
        "../scripts/map_features.py"


rule draw_bucket:
    """Draw each feature as the website will show it. Pictures that are up to date stay."""
    input:
        payloads="results/features/{bucket}/payloads.json",
    output:
        index=PICTURES,
    log:
        "logs/draw_bucket/{bucket}.log",
    benchmark:
        "benchmarks/draw_bucket/{bucket}.tsv"
    priority: 1
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code_of("draw_bucket.py"),
    script:
        "../scripts/draw_bucket.py"


rule publish_bucket:
    """Create, update or keep a bucket's features, read them back, and write the receipt."""
    input:
        payloads="results/features/{bucket}/payloads.json",
        gate=waits_for(CHECKED, bucket_is_settled),
        pictures=waits_for(PICTURES, bucket_is_settled),
    output:
        receipt="results/receipts/atlas/{bucket}.json",
    log:
        "logs/publish_bucket/{bucket}.log",
    benchmark:
        "benchmarks/publish_bucket/{bucket}.tsv"
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        settings=bucket_settings,
    script:
        "../scripts/publish_bucket.py"
