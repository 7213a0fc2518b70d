from __future__ import annotations

from wharf.resolver.book import Book, View


def _view(*networks: str, **links: str) -> View:
    return View(networks, links, (), forward=True)


def _book() -> Book:
    book = Book()
    book.add("e1", "back", "A", ["web.back", "web", "Www"], ["10.0.0.2", "fd00::2"])
    book.add("e2", "back", "B", ["pg.back", "pg", "www"], ["10.0.0.3"])
    book.add("e3", "front", "C", ["pg.front", "pg"], ["10.1.0.2"])
    return book


def test_first_network_that_knows_a_name_answers() -> None:
    assert _book().find(_view("front", "back"), "pg") == ["10.1.0.2"]
    assert _book().find(_view("back"), "pg") == ["10.0.0.3"]
    assert _book().find(_view("back"), "pg.front") is None


def test_name_of_several_has_all_their_addresses() -> None:
    assert sorted(_book().find(_view("back"), "www") or []) == ["10.0.0.2", "10.0.0.3", "fd00::2"]


def test_link_is_before_all_names() -> None:
    assert sorted(_book().find(_view("back", pg="A"), "pg") or []) == ["10.0.0.2", "fd00::2"]


def test_address_has_a_name_where_it_is_seen() -> None:
    assert _book().name_of(_view("back"), "10.0.0.2") == "web.back"
    assert _book().name_of(_view("front"), "10.0.0.2") == ""


def test_forgotten_endpoint_leaves_nothing() -> None:
    book = _book()
    for endpoint in ("e1", "e2", "e3", "e3"):
        book.remove(endpoint)

    assert (book._endpoints, book._names, book._addresses) == ({}, {}, {})


def test_endpoint_told_again_is_not_doubled() -> None:
    book = _book()
    book.add("e2", "back", "B", ["db"], ["10.0.0.3"])

    assert book.find(_view("back"), "pg") is None
    assert book.find(_view("back"), "db") == ["10.0.0.3"]


def test_link_may_lead_to_a_name_that_comes_later() -> None:
    book, view = _book(), _view("back", bar="Upstream")
    assert book.find(view, "bar") is None

    book.add("e9", "back", "C", ["upstream"], ["10.0.0.9"])
    assert book.find(view, "bar") == ["10.0.0.9"]
