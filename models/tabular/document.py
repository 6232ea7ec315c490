"""``docs/files.md``, made from the catalogues: ``python -m models.tabular.document`` writes it.

The prose is ``seeds/fields/files.md``; its places in braces are filled with tables here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from models.fields import Field, catalogue
from models.seeds import ROOT, seed
from models.tabular.guide import SIZE_WORDS, VERDICT_WORDS
from models.tabular.issue_table import ISSUE_COLUMNS, LEVELS, general
from models.tabular.issues import issue_kinds
from models.tabular.wording import blank_text, file_header, format_text, note

FILES_DOC = ROOT.parent / "docs" / "files.md"

_YEAR = 2025
"""Of the headers shown; any year will do."""


def render_files_doc() -> str:
    """The whole page, as Markdown."""
    tables = {
        "{fields}": _fields(),
        "{options}": _options(),
        "{issues}": _issues(),
        "{year}": str(_YEAR),
        "{verdicts}": " / ".join(f"`{key}` {text.zh}" for key, text in VERDICT_WORDS.items()),
        "{sizes}": " / ".join(f"`{key}` {text.zh}" for key, text in SIZE_WORDS.items()),
        "{columns}": "、".join(ISSUE_COLUMNS),
    }
    page = seed("fields", "files.md").read_text("utf-8")
    for place, filling in tables.items():
        page = page.replace(place, filling)
    return page


def _fields() -> str:
    headers = (
        "键名 Key",
        "模板表头 Header",
        "含义 Meaning",
        "格式 Format",
        "留空 Blank",
        "也可写作 Synonyms",
    )
    return _table(headers, (_field_row(field) for field in catalogue()))


def _field_row(field: Field) -> tuple[str, ...]:
    meaning, form, blank = note(field), format_text(field), blank_text(field)
    key = f"`{field.key}_{_YEAR}`" if field.yearly else f"`{field.key}`"
    return (
        key,
        file_header(field, _YEAR if field.yearly else None),
        f"{meaning.zh}<br>{field.header_en}: {meaning.en}",
        f"{form.zh}<br>{form.en}",
        f"{blank.zh}<br>{blank.en}",
        "、".join(field.synonyms),
    )


def _options() -> str:
    rows = (
        (field.header_zh, label.zh, f"`{key}`", label.en)
        for field in catalogue()
        for key, label in (field.options or {}).items()
    )
    return _table(("字段 Field", "填写 Label", "键值 Key", "English"), rows)


def _issues() -> str:
    rows = []
    for kind in issue_kinds().values():
        level, text, fix = LEVELS[kind.level], general(kind.text), general(kind.fix)
        levels = f"{level.zh}<br>{level.en}"
        rows.append((kind.code, levels, f"{text.zh}<br>{text.en}", f"{fix.zh}<br>{fix.en}"))
    return _table(("代码 Code", "级别 Level", "说明 Message", "怎么办 What to do"), rows)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(path: Path = FILES_DOC) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_files_doc(), "utf-8")


if __name__ == "__main__":
    main()
