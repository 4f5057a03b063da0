"""`import tenfold` offers what it lists, and type checkers are told the same list."""

import ast
import inspect

import pytest

import tenfold


def test_every_public_name_is_there_when_it_is_asked_for():
    for name in tenfold.__all__:
        assert getattr(tenfold, name) is not None
        assert name in dir(tenfold)


def test_type_checkers_are_told_the_names_that_are_there():
    block = next(n for n in ast.parse(inspect.getsource(tenfold)).body if isinstance(n, ast.If))
    told = {
        (a.name, n.module)
        for n in ast.walk(block)
        if isinstance(n, ast.ImportFrom)
        for a in n.names
    }
    assert told == {(name, f"tenfold.{home}") for name, home in tenfold._HOMES.items()}


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        tenfold.tarin  # noqa: B018  the access is the test
