"""From feature payloads to a verified bucket of the atlas website."""
