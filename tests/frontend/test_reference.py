"""docs/language.md is what the frontend's tables say now."""

from __future__ import annotations

from pathlib import Path

from adcore_python.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "language.md"


def test_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run: python -m adcore_python.reference > docs/language.md"
