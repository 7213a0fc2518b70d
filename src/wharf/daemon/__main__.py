"""``python -m wharf.daemon``: the same as wharfd."""

from __future__ import annotations

from wharf.daemon.main import main

if __name__ == "__main__":
    main()
