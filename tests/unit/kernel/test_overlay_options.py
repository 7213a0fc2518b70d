from __future__ import annotations

from wharf.kernel import overlay_options


def test_whole_files_under_their_own_names_whatever_the_kernels_defaults() -> None:
    assert overlay_options.chosen(rootless=False) == ("index=off", "redirect_dir=off", "metacopy=off")


def test_root_of_a_user_namespace_marks_with_attributes_it_may_write() -> None:
    assert overlay_options.chosen(rootless=True) == ("index=off", "metacopy=off", "userxattr")


def test_a_flag_has_no_value() -> None:
    assert overlay_options.mapping() == {
        name: value for name, _, value in (option.partition("=") for option in overlay_options.options())
    }
