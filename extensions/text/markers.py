"""What ONEX takes for a note that something is left to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


# What ONEX takes for a note that something is left to do, as whole words.
MARKERS = re.compile(r"\b(?:TODO|FIXME|HACK|XXX)\b")
