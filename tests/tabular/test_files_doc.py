"""docs/files.md says what the catalogues say."""

from __future__ import annotations

from pathlib import Path

from models.fields import catalogue
from models.tabular.document import FILES_DOC, main, render_files_doc
from models.tabular.issues import issue_kinds
from models.tabular.wording import example, file_header, note


def test_page_is_up_to_date() -> None:
    assert FILES_DOC.read_text("utf-8") == render_files_doc(), "run: python -m models.tabular.document"


def test_names_every_field_and_every_code() -> None:
    page = render_files_doc()
    for field in catalogue():
        assert f"| `{field.key}" in page
        assert all(name in page for name in (field.header_zh, note(field).zh, *field.synonyms))
    assert all(f"| {code} |" in page for code in issue_kinds())


def test_leaves_no_place_unfilled() -> None:
    assert "{" not in render_files_doc()


def test_writes_where_it_is_told(tmp_path: Path) -> None:
    main(tmp_path / "docs" / "files.md")
    assert (tmp_path / "docs" / "files.md").read_text("utf-8") == render_files_doc()


def test_every_field_has_plain_words_in_both_languages() -> None:
    for field in catalogue():
        assert note(field).zh
        assert isinstance(note(field).en, str)
        assert example(field)
    assert file_header(catalogue()["valuation_usd"]) == "企业估值(美元)（万美元）"
