"""The embedded services: BossDB and the atlas features service over a local store."""
