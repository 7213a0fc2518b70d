from __future__ import annotations

from wharf.lib.places import ROOTLESS, SYSTEM, places


def test_root_uses_the_machines_places() -> None:
    assert places(0, {"XDG_RUNTIME_DIR": "/run/user/0", "HOME": "/root"}) is SYSTEM


def test_a_plain_user_has_places_of_their_own() -> None:
    found = places(1000, {"XDG_RUNTIME_DIR": "/run/user/1000", "XDG_DATA_HOME": "/d", "HOME": "/home/a"})

    assert (found.data_root, found.run_root, found.configuration, found.socket) == (
        "/d/wharf",
        "/run/user/1000/wharf",
        "/home/a/.config/wharf",
        "/run/user/1000/wharf/wharf.sock",
    )


def test_without_a_session_the_home_folder_has_all() -> None:
    found = places(1000, {"HOME": "/home/a"})

    assert (found.data_root, found.run_root) == ("/home/a/.local/share/wharf", "/home/a/.local/state/wharf/run")


def test_relative_folders_do_not_count() -> None:
    assert places(1000, {"HOME": "/home/a", "XDG_DATA_HOME": "data"}).data_root == "/home/a/.local/share/wharf"


def test_root_of_the_users_namespace_has_the_users_places() -> None:
    found = places(0, {ROOTLESS: "1000", "XDG_RUNTIME_DIR": "/run/user/1000", "HOME": "/home/a"})

    assert found.run_root == "/run/user/1000/wharf"
