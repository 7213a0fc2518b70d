"""Which stage lies on which, and which of them are asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wharf.build.convert.convert import Conversion
from wharf.build.convert.options import BaseImage
from wharf.build.dockerfile import instructions as kinds


class Lineage:
    """The stages that are looked at; each knows the stage, or the image, that it begins with."""

    def __init__(self, conversion: Conversion) -> None:
        self._stages = conversion.dockerfile.stages
        self._images: Mapping[int, BaseImage | None] = conversion.bases
        self._parents = {index: conversion.parent(index) for index in range(len(self._stages))}
        self.reached: Sequence[int] = sorted(conversion.done)

    def stages(self) -> Iterator[tuple[int, kinds.Stage]]:
        """Yield the stages that are looked at, in the file's order."""
        for index in self.reached:
            yield index, self._stages[index]

    def image(self, index: int) -> BaseImage | None:
        """Return the image below a stage."""
        return self._images.get(index)

    def before(self, index: int, kind: type[kinds.Instruction]) -> bool:
        """Return whether a stage below this one has an instruction of that kind."""
        parent = self._parents[index]
        while parent is not None:
            if any(isinstance(one, kind) for one in self._stages[parent].instructions):
                return True
            parent = self._parents[parent]
        return False
