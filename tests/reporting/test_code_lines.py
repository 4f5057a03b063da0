from pathlib import Path

from tenfold.reporting.code_lines import code_lines, package_lines

MODULE = b'''"""A module docstring

of three lines.
"""

import math  # 1

# a comment

LIMIT = 3  # 2
"""What the constant above is."""


class Thing:  # 3
    """A class docstring."""

    text = """4
    5, a string that is used"""

    def area(  # 6
        self, radius: float  # 7
    ) -> float:  # 8
        """A function docstring
        of two lines."""
        # a comment inside

        return (  # 9
            # a comment inside an expression
            math.pi  # 10

            * radius**2  # 11
        )  # 12
'''


def test_code_is_what_is_neither_blank_nor_comment_nor_docstring() -> None:
    assert code_lines(MODULE) == 12


def test_a_definition_and_its_docstring_on_one_line_are_one_line_of_code() -> None:
    assert code_lines(b'def nothing(): "does nothing"\n') == 1


def test_an_empty_module_has_no_code() -> None:
    assert code_lines(b"") == 0
    assert code_lines(b'"""Only words."""\n\n# and more of them\n') == 0


def test_a_package_is_all_python_below_its_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "one.py").write_bytes(MODULE)
    (tmp_path / "inner" / "two.py").write_text("a = 1\nb = 2\n")
    (tmp_path / "notes.txt").write_text("c = 3\n")
    assert package_lines(tmp_path) == 14
