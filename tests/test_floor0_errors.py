"""The exception tree is the one its module prints, and look-ups end in sentences."""

import re

import pytest

from tenfold import errors
from tenfold.errors import TenfoldError, UnknownName, UsageError, lookup


def subclasses(of: type[TenfoldError]) -> set[type[TenfoldError]]:
    own = {c for c in of.__subclasses__() if c.__module__ == errors.__name__}
    return own.union(*(subclasses(c) for c in own))


def test_the_printed_tree_is_the_tree():
    """Each printed line: the class, the builtin it also is (if any), its exit code, its parent by indent."""
    printed = re.findall(
        r"^ {4}([│ ]*[├└]── )?(\w+) +(?:([A-Z]\w+) +)?(\d) ", errors.__doc__ or "", re.MULTILINE
    )
    assert {name for _, name, _, _ in printed} == {
        c.__name__ for c in subclasses(TenfoldError) | {TenfoldError}
    }
    ancestors: list[type] = []
    for branch, name, builtin, code in printed:
        made = getattr(errors, name)
        del ancestors[len(branch) // 4 :]
        assert made.exit_code == int(code)
        assert made.__bases__[0] is (ancestors[-1] if ancestors else Exception)
        assert [b.__name__ for b in made.__bases__[1:]] == ([builtin] if builtin else [])
        ancestors.append(made)


def test_a_name_in_the_table_is_its_entry():
    assert lookup({"mlp": 1, "cnn": 2}, "cnn", "recipe") == 2


def test_a_misspelt_name_is_answered_with_the_nearest_and_all():
    with pytest.raises(
        UnknownName, match=r"^No recipe named 'cn'\. Did you mean 'cnn'\? Known: cnn, mlp\.$"
    ):
        lookup({"mlp": 1, "cnn": 2}, "cn", "recipe")


def test_a_name_like_no_other_is_answered_without_a_guess():
    with pytest.raises(UnknownName, match=r"^No recipe named 'xyzzy'\. Known: cnn, mlp\.$"):
        lookup({"mlp": 1, "cnn": 2}, "xyzzy", "recipe")


def test_an_unknown_name_is_caught_as_what_a_stranger_expects():
    for builtin in (UsageError, LookupError, ValueError):
        with pytest.raises(builtin):
            lookup({}, "cnn", "recipe")
