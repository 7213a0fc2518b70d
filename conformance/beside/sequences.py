"""All sequences that are asked, and those of them that are judged."""

from __future__ import annotations

from typing import Final

from conformance.beside import archives, execs, fields, filters, images, life, networks, streams, system, volumes
from conformance.beside.steps import Sequence

JUDGED: Final[tuple[Sequence, ...]] = tuple(fields.sequences())
"""Those whose every difference has been mended, or accepted with its reason."""
SEQUENCES: Final[tuple[Sequence, ...]] = (
    *JUDGED,
    *(
        sequence
        for noun in (life, volumes, networks, execs, images, system, filters, archives, streams)
        for sequence in noun.sequences()
    ),
)
"""All, for those who mend: ``python -m conformance.beside``."""
