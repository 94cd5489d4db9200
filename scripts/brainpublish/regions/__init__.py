"""From tables of values per region to feature payloads. Knows no network."""
