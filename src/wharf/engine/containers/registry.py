"""All containers of one engine, in memory and in the database, found by id, unique id prefix or name."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State
from wharf.errors import Conflict, DataLoss, InvalidArgument, NotFound
from wharf.storage.metadata import Database


class Registry:
    """The collection of records: memory answers reads, every write goes to the database first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_id: dict[str, Container] = {}
        self._id_by_name: dict[str, str] = {}

    def load(self) -> None:
        """Read all records; called once, before anything else.

        Raises:
            DataLoss: one cannot be read.
        """
        rows = self._database.query(
            "SELECT id, name, created_at, image_id, chain_id, record, state FROM containers ORDER BY created_at"
        )
        for row in rows:
            container_id, name, created_at, image_id, chain_id, record, state = map(str, row)
            try:
                spec, status = msgspec.json.decode(record, type=Specification), msgspec.json.decode(state, type=State)
            except msgspec.MsgspecError as error:
                raise DataLoss(f"the record of container {name} ({container_id}) cannot be read: {error}") from error
            self._index(Container(container_id, name, created_at, image_id, chain_id, spec, status))

    def __iter__(self) -> Iterator[Container]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, container_id: str) -> bool:
        return container_id in self._by_id

    def resolve(self, ref: str) -> Container:
        """Return the container that ``ref`` names.

        Raises:
            NotFound: no container has that id, name or id prefix.
            InvalidArgument: the prefix fits several.
        """
        bare = ref.removeprefix("/")
        if found := self._by_id.get(ref) or self._by_id.get(self._id_by_name.get(bare, "")):
            return found
        if "/" in bare and (linked := self._linked(bare)):
            return linked
        matches = [c for i, c in self._by_id.items() if ref and i.startswith(ref)]
        if len(matches) > 1:
            raise InvalidArgument(f"Multiple IDs found with provided prefix: {ref}")
        if not matches:
            raise NotFound(f"No such container: {ref}")
        return matches[0]

    def _linked(self, name: str) -> Container | None:
        """Return who a container knows by a link, ``container/alias``."""
        holder, _, alias = name.rpartition("/")
        container = self._by_id.get(self._id_by_name.get(holder, ""))
        for link in (container and container.spec.host_config.get("Links")) or []:
            target, _, known = link.partition(":")
            if known.rpartition("/")[2] == alias:
                return self._by_id.get(self._id_by_name.get(target.removeprefix("/"), ""))
        return None

    def names(self) -> dict[str, list[str]]:
        """Return each container's names by its id: its own, and those that links on the default bridge give it."""
        found = {container.id: [f"/{container.name}"] for container in self}
        for container in self:
            for link in container.spec.host_config.get("Links") or []:
                target, _, known = link.partition(":")
                if known and (linked := self._id_by_name.get(target.removeprefix("/"))):
                    found[linked].append(known)
        return found

    def name_taken(self, name: str) -> bool:
        """Return whether a container bears ``name``."""
        return name in self._id_by_name

    def require_free(self, name: str) -> None:
        """Raise Conflict, in Docker's words, when ``name`` is taken."""
        if holder := self._id_by_name.get(name):
            raise Conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{holder}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )

    def add(self, container: Container) -> None:
        """Record a new container; atomic."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO containers (id, name, created_at, image_id, chain_id, record, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    container.id,
                    container.name,
                    container.created_at,
                    container.image_id,
                    container.chain_id,
                    _json(container.spec),
                    _json(container.state),
                ),
            )
        self._index(container)

    def abandon(self, container: Container) -> None:
        """Forget a container whose record has not been written after all: the transaction was undone; idempotent."""
        if self._by_id.get(container.id) is container:
            self._unindex(container)

    def save(self, container: Container) -> None:
        """Write the present state of ``container``; a no-op for one that has been removed."""
        with self._database.transaction() as db:
            db.execute("UPDATE containers SET state = ? WHERE id = ?", (_json(container.state), container.id))

    def respecify(self, container: Container, spec: Specification) -> None:
        """Replace what was asked for (docker update)."""
        with self._database.transaction() as db:
            db.execute("UPDATE containers SET record = ? WHERE id = ?", (_json(spec), container.id))
        container.spec = spec

    def rename(self, container: Container, name: str) -> None:
        """Give ``container`` another name, which must be free."""
        self.require_free(name)
        with self._database.transaction() as db:
            db.execute("UPDATE containers SET name = ? WHERE id = ?", (name, container.id))
        del self._id_by_name[container.name]
        container.name = name
        self._id_by_name[name] = container.id

    def discard(self, container: Container) -> None:
        """Forget ``container``."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM containers WHERE id = ?", (container.id,))
        self._unindex(container)

    def _unindex(self, container: Container) -> None:
        self._by_id.pop(container.id, None)
        self._id_by_name.pop(container.name, None)

    def _index(self, container: Container) -> None:
        self._by_id[container.id] = container
        self._id_by_name[container.name] = container.id


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
