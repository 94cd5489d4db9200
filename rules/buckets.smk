# Takes the config; leaves what the rules on region features ask of it.

SPATIAL = ("points", "volume")
PICTURES = "results/features/{bucket}/pictures.json"


def bucket_section(wildcards):
    return {"name": wildcards.bucket, **CONFIG["buckets"][wildcards.bucket]}


def bucket_tables(wildcards):
    tables = CONFIG["buckets"][wildcards.bucket]["tables"]
    paths = [
        table[key] for table in tables for key in ("path", "synonyms") if table[key]
    ]
    return [path for path in dict.fromkeys(paths) if Path(path).is_file()]


def bucket_volumes(wildcards):
    section = CONFIG["buckets"][wildcards.bucket]
    paths = [each["path"] for kind in SPATIAL for each in section[kind].values()]
    return [path for path in dict.fromkeys(paths) if Path(path).is_file()]


def encoded_volumes(wildcards):
    section = CONFIG["buckets"][wildcards.bucket]
    folder = f"results/features/{wildcards.bucket}"
    files = [f"{folder}/volumes.json", f"{folder}/encoded.json"]
    return files if any(section[kind] for kind in SPATIAL) else []


def spatial_section(wildcards):
    section = CONFIG["buckets"][wildcards.bucket]
    return {kind: section[kind] for kind in SPATIAL}


def bucket_settings(wildcards):
    return {
        "bucket": bucket_section(wildcards),
        "destination": DESTINATION["atlas"],
        "code": code_of("publish_bucket.py"),
    }


def bucket_is_settled(wildcards):
    inputs = [f"results/features/{wildcards.bucket}/payloads.json"]
    record = f"results/receipts/atlas/{wildcards.bucket}.json"
    expected = made_from(bucket_settings(wildcards))
    return stands("publish_bucket", record, expected, inputs)
