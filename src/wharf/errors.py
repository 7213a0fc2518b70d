"""The one error tree, named for what the caller can do about it.

::

    WharfError
    ├── InvalidArgument     change the request
    ├── Unauthorized        log in
    ├── Forbidden           ask for another thing: this one is not allowed
    ├── NotFound            name something that exists
    ├── Conflict            change the state first, or choose another name
    ├── NotModified         nothing to do: it is so already
    ├── NotImplementedHere  this build or this kernel cannot do it
    ├── Unavailable         try again later
    └── DataLoss            stored bytes are damaged; the message says which

Each edge maps the tree once: ``api/errors.py`` to a status, ``cli`` to an exit code, ``client`` from a status
back to these classes. Packages subclass only where somebody catches the difference.
"""

from __future__ import annotations

NOT_A_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
    "to connect this node to swarm and try again."
)
"""Docker's words, of whatever needs a swarm (:class:`Unavailable`)."""


class WharfError(Exception):
    """Something a caller of Wharf can act on.

    The message is lower case, says what and which, and is API where Docker's clients match on it.
    """


class InvalidArgument(WharfError):
    """The request is malformed or contradicts itself."""


class Unauthorized(WharfError):
    """Credentials are missing or wrong."""


class Forbidden(WharfError):
    """The request is understood and refused."""


class NotFound(WharfError):
    """No object of that name exists."""


class Conflict(WharfError):
    """The object's present state, or a name in use, forbids it."""


class NotModified(WharfError):
    """The object is already as requested."""


class NotImplementedHere(WharfError):
    """This build, kernel or machine cannot do it."""


class Unavailable(WharfError):
    """It cannot be done now and may be possible later."""


class DataLoss(WharfError):
    """Stored data is missing or does not match its digest."""
