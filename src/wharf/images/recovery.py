"""After the machine has stopped: what was not known to be on the disk is looked at before anybody trusts it.

A blob's name says what its bytes are. A layer's folder is made again from its blob or, where its build packed it,
packed and compared; one that has neither is forgotten, with the layers on it: its image is pulled, loaded or built
again, and containers that lie on it say so until then. One that cannot be made just now, on a full disk, is kept from
all who ask for it, until the next start tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from wharf.errors import WharfError
from wharf.images.catalog import Catalog
from wharf.images.intake import Intake
from wharf.images.packing import diff_id_of
from wharf.lib.digest import Digest
from wharf.storage.content import ContentStore
from wharf.storage.snapshots import Snapshots
from wharf.storage.unsettled import Suspects

log = logging.getLogger("wharf.images")

Links = Mapping[Digest, tuple[Digest | None, Digest]]
"""The layer below and the diff id, by chain id."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of layers that may be damaged, each in one of these."""

    unpack: tuple[tuple[Digest, Digest], ...] = ()  # chain id, and the blob that it is made of again
    compare: tuple[Digest, ...] = ()
    forget: tuple[Digest, ...] = ()


def plan(
    suspects: Collection[Digest], links: Links, blobs: Mapping[Digest, Digest], packed: Collection[Digest]
) -> Plan:
    """Return what to do about layers. Pure.

    Args:
        suspects: layers that may be damaged, by chain id; those that are not recorded any more do not matter.
        links: all recorded layers.
        blobs: blobs that are whole, by the diff id of the layer they hold.
        packed: layers whose diff id is the digest of what their files are packed into here.
    """
    known = sorted(set(suspects) & links.keys())
    unpack = tuple((layer, blobs[links[layer][1]]) for layer in known if links[layer][1] in blobs)
    rest = [layer for layer in known if links[layer][1] not in blobs]
    return Plan(
        unpack,
        tuple(layer for layer in rest if layer in packed),
        tuple(layer for layer in rest if layer not in packed),
    )


def with_those_above(layers: Collection[Digest], links: Links) -> set[Digest]:
    """Return layers and all that lie on them. Pure."""
    found = set(layers) & links.keys()
    while more := {layer for layer, (below, _) in links.items() if below in found} - found:
        found |= more
    return found


class Recovery:
    """One look at a data root, when an engine starts; everything blocks."""

    def __init__(
        self, catalog: Catalog, content: ContentStore, snapshots: Snapshots, intake: Callable[[], Intake]
    ) -> None:
        self._catalog = catalog
        self._content = content
        self._snapshots = snapshots
        self._intake = intake
        self._suspects = Suspects()

    def run(self, now: str) -> None:
        """Read the catalogue (see :meth:`Catalog.load`) in between; nothing is in doubt after that."""
        self._suspects = self._snapshots.unsettled.suspects()
        self._blobs()
        self._catalog.load(now)
        self._layers()

    def _blobs(self) -> None:
        for digest in sorted(self._suspects.blobs):
            if not self._content.verify(digest):
                log.warning("blob %s was lost when the machine stopped; pull or load its image again", digest)
                self._content.delete(digest)

    def _layers(self) -> None:
        if self._suspects == Suspects():
            return
        links = self._snapshots.links()
        decided = plan(self._suspects.layers, links, self._whole(links), self._snapshots.packed())
        lost, delayed = set(decided.forget), set[Digest]()
        with self._intake() as intake:  # its workers stay from layer to layer
            for layer, blob in decided.unpack:
                try:
                    whole = self._unpack(intake, layer, blob, links)
                except OSError as error:  # nothing of the blob's: there is no room, or no memory
                    log.warning("layer %s could not be unpacked again: %s", layer, error)
                    delayed.add(layer)
                else:
                    lost.update([] if whole else [layer])
        lost.update(layer for layer in decided.compare if not self._is_packed(layer, links[layer][1]))
        for layer in self._snapshots.uppermost_first(with_those_above(lost, links)):
            log.warning("layer %s was lost when the machine stopped; pull, load or build its image again", layer)
            self._snapshots.remove(layer)
        self._snapshots.withhold(delayed)
        self._snapshots.unsettled.trust(delayed)

    def _whole(self, links: Links) -> dict[Digest, Digest]:
        return dict(self._stored(links))

    def _stored(self, links: Links) -> Iterator[tuple[Digest, Digest]]:
        for layer in self._suspects.layers & links.keys():
            diff_id = links[layer][1]
            stored = self._catalog.stored_layer(diff_id)
            if stored is not None and self._content.exists(digest := Digest(stored["digest"])):
                yield diff_id, digest

    def _unpack(self, intake: Intake, layer: Digest, blob: Digest, links: Links) -> bool:
        """Put what a blob holds in a layer's place; return whether it is the layer.

        Raises:
            OSError: this machine cannot do it now.
        """
        try:
            made = intake.layer_of_blob({"digest": blob})
        except WharfError as error:
            log.warning("layer %s cannot be unpacked again from blob %s: %s", layer, blob, error)
            return False
        if made.folder is None or made.diff_id != links[layer][1]:
            return False
        self._snapshots.mend(made.folder, layer)
        return True

    def _is_packed(self, layer: Digest, diff_id: Digest) -> bool:
        try:
            return diff_id_of(self._snapshots.lower_dirs(layer)[0]) == diff_id
        except OSError:
            return False
