"""YAML that remembers its lines; what is wrong is gathered, so that all of it can be mended in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.errors import RulesRefused, Text


class Block(dict[str, Any]):
    """A YAML mapping. ``line`` is where it begins; ``lines[key]`` where a key stands."""

    line: int
    lines: dict[str, int]
    doubled: list[str]


class Items(list[Any]):
    """A YAML sequence with the line it begins on."""

    line: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a pack, tied to its line."""

    file: str
    line: int
    code: str
    text: Text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.text.zh} | {self.text.en}"


@dataclass
class Complaints:
    """Gathers everything that is wrong, so that it can be mended in one go."""

    file: str
    found: list[Complaint] = field(default_factory=list)

    def add(self, line: int, code: str, zh: str, en: str) -> None:
        self.found.append(Complaint(self.file, line, code, Text(zh, en)))

    def raise_if_any(self) -> None:
        if self.found:
            raise rules_refused(self.found)


def rules_refused(found: list[Complaint]) -> RulesRefused:
    """One error for all complaints; its place is the first one's, ``complaints`` holds them all."""
    lines = "\n".join(f"  {complaint}" for complaint in found)
    error = RulesRefused(
        found[0].code,
        Text(f"规则包有 {len(found)} 处错误：\n{lines}", f"{len(found)} errors in rule packs, listed above"),
        Text("按文件名和行号逐处修正", "Mend them by file and line"),
        f"{found[0].file}:{found[0].line}",
    )
    error.complaints = found  # type: ignore[attr-defined]
    return error


def read_yaml(text: str, complaints: Complaints) -> Block | None:
    """The top mapping of a YAML text, or None with a complaint (R001) if it is not one."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        complaints.add(
            line, "R001", f"不是有效的 YAML：{_first_line(error)}", f"not valid YAML: {_first_line(error)}"
        )
        return None
    if not isinstance(node, yaml.MappingNode):
        complaints.add(1, "R001", "文件应是一组“键: 值”", "the file must be a mapping")
        return None
    block = _build(node, yaml.CSafeLoader(""))
    assert isinstance(block, Block)
    for doubled, line in _doubled(block):
        complaints.add(line, "R002", f"键“{doubled}”写了两次", f"key “{doubled}” stands twice")
    return block


def load_block(path: Path, complaints: Complaints) -> Block | None:
    return read_yaml(path.read_text("utf-8"), complaints)


def _first_line(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


def _build(node: yaml.Node, loader: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        block = Block()
        block.line = node.start_mark.line + 1
        block.lines, block.doubled = {}, []
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in block:
                block.doubled.append(key)
            block[key] = _build(value_node, loader)
            block.lines[key] = key_node.start_mark.line + 1
        return block
    if isinstance(node, yaml.SequenceNode):
        items = Items(_build(item, loader) for item in node.value)
        items.line = node.start_mark.line + 1
        return items
    return loader.construct_object(node)


def _doubled(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, Block):
        yield from ((key, value.lines[key]) for key in value.doubled)
        for child in value.values():
            yield from _doubled(child)
    elif isinstance(value, Items):
        for child in value:
            yield from _doubled(child)
