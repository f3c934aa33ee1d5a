"""Draw screenshots/ from the real deck on the demo library: SVG by Textual, PNG by cairosvg."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

OUT = Path(__file__).parents[1] / "screenshots"
