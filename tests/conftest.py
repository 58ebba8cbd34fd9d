"""Property tests use the same examples every time, so that a red run is a changed program.

`QUANTMAP_RANDOM=1` looks for new examples instead.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
if not os.environ.get("QUANTMAP_RANDOM"):
    settings.load_profile("same")
