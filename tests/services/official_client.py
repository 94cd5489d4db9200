"""The official atlas client, unmodified.

It imports the whole download machinery of its atlas library, and with it an AWS client that the
library does not ask for when it is installed. Nothing here downloads anything, so that a stand-in
for the missing import is enough.
"""

import importlib.util
import sys
from unittest.mock import MagicMock

AWS_MODULES = ("boto3", "botocore", "botocore.config", "botocore.exceptions")

if importlib.util.find_spec("boto3") is None:
    for name in AWS_MODULES:
        sys.modules[name] = MagicMock(name=name)

from iblbrainviewer import api  # noqa: E402

__all__ = ["api"]
