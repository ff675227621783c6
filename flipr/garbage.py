"""What a process has loaded stays: the collector of garbage need not walk over it again and again while orders wait."""

from __future__ import annotations

import gc


def freeze() -> None:
    """Call when everything is loaded, before the first order."""
    gc.collect()
    gc.freeze()
