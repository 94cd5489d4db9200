"""Publish brain slices, masks and region features, and prove what was published."""

import os

# OpenBLAS starts a thread for each core when numpy is imported, and each of them spins for a tenth
# of a second. Jobs are short, and none of them multiplies dense matrices.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

__version__ = "0.1.0"
