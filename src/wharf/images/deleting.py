"""Images leave the store: by name, or one platform's of several. Blocking; each under the catalog's lock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress

from wharf.errors import Conflict, NotFound
from wharf.images.catalog import Catalog
from wharf.images.platform import Platform, acceptable, host
from wharf.images.record import ImageRecord, platform_of_config
from wharf.images.removal import ImageUse, plan_removal, refuse_used, spare_names
from wharf.lib.digest import Digest, short
from wharf.spec.engine_api.image import ImageDeleteResponseItem

Uses = Callable[[str], Sequence[ImageUse]]
"""The containers made from an image, by its id."""


def no_uses(_image_id: str) -> Sequence[ImageUse]:
    """Return that no container uses an image."""
    return ()


Deleted = tuple[list[ImageDeleteResponseItem], int]
"""What went, and the bytes that freed."""


class Deleting:
    """Takes images out of one catalog."""

    def __init__(self, catalog: Catalog, now: Callable[[], str]) -> None:
        self._catalog = catalog
        self._now = now

    def remove(self, name: str, in_use: Uses, *, force: bool, platforms: Sequence[Platform] = ()) -> Deleted:
        """Take a name off, and the image with its last, with those for other platforms that share its index.

        With ``platforms`` only the images for these go, and the name leads to what is left; with the last of them it
        goes too.

        Raises:
            NotFound: there is none of that name, or none for one of the platforms: then none is removed.
            Conflict: a container uses it, or it has other names.
        """
        if platforms:
            return self._remove_platforms(name, platforms, in_use, force=force)
        with self._catalog.lock:
            record = self._catalog.resolve(name)
            plan = plan_removal(record, name, in_use(record.id), force=force)
            done: list[ImageDeleteResponseItem] = [{"Untagged": r.familiar} for r in plan.untag]
            if not plan.delete:
                self._catalog.unname(plan.untag)
                return done, 0
            freed = 0
            for gone in (record, *self._catalog.siblings(record)):  # they have no name but the index's
                if gone is record or not (set(gone.references) - set(plan.untag) or in_use(gone.id)):
                    layers, size = self._catalog.delete(gone.id)
                    done += [{"Deleted": digest} for digest in (gone.id, *layers)]
                    freed += size
            return done, freed

    def prune(self, image_ids: Iterable[Digest], in_use: Uses) -> Deleted:
        """Remove images with all their names; of one that containers use only the names that none of them has."""
        done: list[ImageDeleteResponseItem] = []
        freed = 0
        for image_id in image_ids:
            with suppress(NotFound):  # somebody removed it meanwhile
                items, size = self._prune(image_id, in_use)
                done += items
                freed += size
        return done, freed

    def _prune(self, image_id: Digest, in_use: Uses) -> Deleted:
        with self._catalog.lock:
            if not (uses := in_use(image_id)):
                return self.remove(image_id, in_use, force=True)
            spare = spare_names(self._catalog.resolve(image_id), uses)
            self._catalog.unname(spare)
            return [{"Untagged": one.familiar} for one in spare], 0

    def forget_unfinished(self, under_way: Collection[Digest]) -> int:
        """Give up what pulls have left that are not under way; return the bytes freed."""
        with self._catalog.lock:
            self._catalog.reach.forget(d for d in self._catalog.reach.unfinished() if d not in under_way)
            return self._catalog.collect()

    def _remove_platforms(self, name: str, platforms: Sequence[Platform], in_use: Uses, *, force: bool) -> Deleted:
        with self._catalog.lock:
            record = self._catalog.resolve(name)
            stored = [record, *self._catalog.siblings(record)]
            gone = {one.id: one for one in (_for(name, stored, platform) for platform in platforms)}
            left = [one for one in stored if one.id not in gone]
            if not left:
                return self.remove(name, in_use, force=force)
            for one in gone.values():
                self._require_removable(one, in_use, force=force)
            if record.id in gone:
                self._rename(record, left)
            done: list[ImageDeleteResponseItem] = []
            freed = 0
            for image_id in gone:
                layers, size = self._catalog.delete(image_id, listed=True)
                done += [{"Deleted": digest} for digest in (image_id, *layers)]
                freed += size
            return done, freed

    def _require_removable(self, gone: ImageRecord, in_use: Uses, *, force: bool) -> None:
        refuse_used(gone, in_use(gone.id), force=force)
        for reference in gone.references:
            named = self._catalog.named_target(reference)
            if named is not None and named.target == named.manifest_digest:
                why = f"{reference.familiar} names it alone"
                raise Conflict(f"conflict: unable to delete {short(gone.id)} (must be untagged) - {why}")

    def _rename(self, record: ImageRecord, left: Sequence[ImageRecord]) -> None:
        """Let the names of an image that goes lead to what is left of their indexes."""
        for reference in record.references:
            named = self._catalog.named_target(reference)
            members = self._catalog.reach.members(named.target) if named else ()
            heirs = [one for one in left if one.manifest_digest in members]
            if named and heirs:
                heir = min(heirs, key=_rank)
                self._catalog.rename_to(heir.manifest_digest, [reference], self._now(), named.target)


def _rank(record: ImageRecord) -> int:
    """Return how well an image suits this machine, 0 the best."""
    suitable = acceptable(host())
    own = platform_of_config(record.config)
    return suitable.index(own) if own in suitable else len(suitable)


def _for(name: str, stored: Sequence[ImageRecord], platform: Platform) -> ImageRecord:
    for one in stored:
        if platform_of_config(one.config) == platform:
            return one
    raise NotFound(f"image with reference {name} was found but does not provide the specified platform ({platform})")
