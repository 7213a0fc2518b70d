"""All sequences that are asked."""

from __future__ import annotations

from typing import Final

from conformance.beside import fields
from conformance.beside.steps import Sequence

SEQUENCES: Final[tuple[Sequence, ...]] = (*fields.sequences(),)
