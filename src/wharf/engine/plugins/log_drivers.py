"""Which plugin keeps a container's log: one of the engine's own, or one that runs by itself."""

from __future__ import annotations

from wharf.engine.context import Context
from wharf.engine.logs.options import is_plugin
from wharf.engine.logs.plugin import CAPABILITY, KIND, LogPlugin
from wharf.engine.ocispec.plugin import STREAMS
from wharf.engine.plugins.places import address_of
from wharf.errors import InvalidArgument, WharfError
from wharf.plugins.finding import found
from wharf.plugins.threads import asked


def find(context: Context, name: str) -> LogPlugin:
    """Return the log plugin of a name; blocking.

    Raises:
        NotFound: there is none, or it is of another kind.
        Conflict: it is disabled.
        Unavailable: it does not answer.
        WharfError: it answers with an error.
    """
    try:
        record, run = context.plugins.serving(name, CAPABILITY), context.run
        if record is not None:
            return LogPlugin(record.name, address_of(run, record), run.plugin_streams(record.id), STREAMS)
        return LogPlugin(name, found(name, KIND), run.logging, str(run.logging))
    except WharfError as error:
        raise type(error)(f"error looking up logging plugin {name}: {error}") from error


async def require_log_driver(context: Context, driver: str) -> None:
    """Refuse a log driver that is neither ours nor a plugin that is there.

    Raises:
        InvalidArgument: why it is not.
    """
    if is_plugin(driver):
        try:
            await asked(find, context, driver)
        except WharfError as error:
            raise InvalidArgument(str(error)) from error
