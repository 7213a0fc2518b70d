"""What is kept besides the images themselves: what indexes list, what unfinished pulls have got, what is in hand.

A blob or a layer stays as long as one of these leads to it:

* a reference's target: an index and all it lists that is stored (other platforms, attestations, artifacts);
* an unfinished pull, recorded before its first blob: a later attempt fetches only what is missing;
* a hold of this process: work under way that has no record yet.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from wharf.errors import InvalidArgument
from wharf.images.index import INDEXES, is_index, parse_index
from wharf.images.record import diff_ids_of, parse_config, parse_manifest
from wharf.lib.digest import Digest, chain_ids
from wharf.spec.oci_image import OCI_INDEX, Descriptor
from wharf.storage.content import ContentStore
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots

_KEPT: Final = timedelta(days=1)
_MAX_DEPTH: Final = 8
_MAX_KNOWN: Final = 10_000


class Reach:
    """Follows what leads to blobs and layers; called under the catalog's lock, but for :meth:`hold`."""

    def __init__(self, database: Database, content: ContentStore, snapshots: Snapshots) -> None:
        self._database = database
        self._content = content
        self._snapshots = snapshots
        self._held: Counter[str] = Counter()
        self._holding = threading.Lock()  # the event loop and threads hold, neither waiting for the catalog
        self._members: dict[Digest, tuple[Digest, ...]] = {}

    @contextmanager
    def hold(self, things: Iterable[str]) -> Iterator[None]:
        """Keep blobs and layers (chain ids, with all below) while within; from any thread."""
        counted = Counter(things)
        with self._holding:
            self._held += counted
        try:
            yield
        finally:
            with self._holding:
                self._held -= counted

    def _held_now(self) -> list[str]:
        with self._holding:
            return list(self._held)

    def begin(self, digest: Digest, now: str) -> None:
        """Record that the image of this index or manifest is on its way; what it has already stays."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO unfinished_pulls (digest, started_at) VALUES (?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET started_at = excluded.started_at",
                (digest, now),
            )

    def unfinished(self) -> list[Digest]:
        """Return the indexes and manifests of pulls that did not end."""
        return [Digest(str(row[0])) for row in self._database.query("SELECT digest FROM unfinished_pulls")]

    def forget(self, digests: Iterable[Digest]) -> None:
        """Give pulls up: what they have got is garbage unless something else leads to it."""
        with self._database.transaction() as db:
            db.executemany("DELETE FROM unfinished_pulls WHERE digest = ?", [(digest,) for digest in digests])

    def forget_old(self, now: str) -> None:
        """Give up the pulls that began more than a day before ``now``."""
        limit = _moment(now) - _KEPT
        rows = self._database.query("SELECT digest, started_at FROM unfinished_pulls")
        self.forget([Digest(str(digest)) for digest, at in rows if _moment(str(at)) < limit])

    def wanted(self) -> set[Digest]:
        """Return all that unfinished pulls refer to, stored or not: their downloads are worth keeping."""
        return self._follow(self.unfinished(), stored_only=False)

    def blobs(self, targets: Iterable[Digest]) -> set[Digest]:
        """Return the stored blobs that ``targets``, unfinished pulls and holds lead to."""
        return self.stored([*targets, *self.unfinished()]) | set(map(Digest, self._held_now()))

    def stored(self, targets: Iterable[Digest]) -> set[Digest]:
        """Return the stored blobs that ``targets``, manifests and indexes, lead to, themselves included."""
        return self._follow(targets, stored_only=True)

    def layers(self) -> set[str]:
        """Return the layers that unfinished pulls and holds lead to."""
        kept: set[str] = set()
        for root in self.unfinished():
            for digest in (root, *self.members(root)):
                kept.update(self._layers_of(digest))
        for held in self._held_now():
            kept.update(self._snapshots.chain(held))
        return kept

    def _layers_of(self, digest: Digest) -> list[Digest]:
        """Return the chain ids of a manifest whose configuration is stored; none of anything else."""
        raw = self._content.find(digest)
        if raw is None or is_index(raw):
            return []
        config = self._content.find(Digest(parse_manifest(raw)["config"]["digest"]))
        if config is None:
            return []
        try:
            return chain_ids(diff_ids_of(parse_config(config)))
        except InvalidArgument:  # an artifact's: not a configuration
            return []

    def _follow(self, roots: Iterable[Digest], *, stored_only: bool) -> set[Digest]:
        found: set[Digest] = set()
        pending = list(roots)
        while pending:
            digest = pending.pop()
            stored = self._content.exists(digest)
            if digest in found or (stored_only and not stored):
                continue
            found.add(digest)
            raw = self._content.find(digest)
            if raw is None:
                continue
            if is_index(raw):
                pending += [Digest(one["digest"]) for one in parse_index(raw).get("manifests", [])]
            else:
                manifest = parse_manifest(raw)
                leaves = [Digest(one["digest"]) for one in (manifest["config"], *manifest["layers"])]
                found.update(leaf for leaf in leaves if not stored_only or self._content.exists(leaf))
        return found

    def members(self, digest: Digest, depth: int = 0) -> tuple[Digest, ...]:
        """Return the manifests that a stored index lists, at any depth; none for a manifest."""
        known = self._members.get(digest)
        if known is not None:
            return known
        if depth > _MAX_DEPTH or (raw := self._content.find(digest)) is None:
            return ()
        found: list[Digest] = []
        if is_index(raw):
            for one in parse_index(raw).get("manifests", []):
                member = Digest(one["digest"])
                found += [member, *(self.members(member, depth + 1) if one.get("mediaType") in INDEXES else ())]
        if len(self._members) >= _MAX_KNOWN:
            self._members.clear()
        self._members[digest] = members = tuple(dict.fromkeys(found))  # each once: indexes may list one many times
        return members

    def indexes(self, digest: Digest) -> set[Digest]:
        """Return the stored indexes from this one down; none for a manifest."""
        documents = ((one, self._content.find(one)) for one in (digest, *self.members(digest)))
        return {one for one, raw in documents if raw is not None and is_index(raw)}

    def descriptor(self, digest: Digest) -> Descriptor:
        """Return the descriptor of an index; of one that is damaged what is known without it."""
        raw = self._content.find(digest)
        index = parse_index(raw) if raw is not None else {}
        return {
            "mediaType": index.get("mediaType", OCI_INDEX),
            "digest": digest,
            "size": self._content.size(digest),
        }


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
