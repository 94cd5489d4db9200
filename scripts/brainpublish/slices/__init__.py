"""From folders of slices to a checked, normalised stack. Knows no network."""
