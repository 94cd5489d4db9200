"""Publish brain slices, masks and region features, and prove what was published."""

__version__ = "0.1.0"
