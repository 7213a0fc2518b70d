"""How layers are put together, whatever the kernel's defaults.

So that a container's own layer holds whole files under their own names; and, in a user namespace, marks that its root
may write (overlayfs, kernel docs: "userxattr", Linux 5.11).
"""

from __future__ import annotations

from wharf.kernel import userns


def options() -> tuple[str, ...]:
    """Return the mount options that every overlay of ours has."""
    return chosen(rootless=userns.inside())


def chosen(*, rootless: bool) -> tuple[str, ...]:
    """Return them for the machine's root, or for a user namespace's, which may not say redirect_dir=off. Pure."""
    if rootless:
        return ("index=off", "metacopy=off", "userxattr")
    return ("index=off", "redirect_dir=off", "metacopy=off")


def mapping() -> dict[str, str]:
    """Return them by name; a flag's value is empty."""
    return {name: value for name, _, value in (option.partition("=") for option in options())}
