"""The rulebook: all packs of a folder, loaded, checked and hashed; which version is in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from models.errors import Text, UsageRefused
from models.fields import Catalogue, catalogue
from models.rules.checks import check_pack
from models.rules.pack import Information, Pack, Shared
from models.rules.parse import Reader, Unreadable, parse_codes, parse_document, parse_quantity
from models.rules.parse_pack import parse_information, parse_pack
from models.rules.quantity import Period
from models.rules.size import SizeRow, SizeTable
from models.rules.source import Block, Complaint, Complaints, Items, load_block, rules_refused
from models.seeds import seed


@dataclass(frozen=True)
class Rulebook:
    """All standards and programmes by id, in the contract's order. Immutable; ``hash`` names it."""

    packs: Mapping[str, Pack]
    information: tuple[Information, ...]
    families: Mapping[str, tuple[str, ...]]
    ladder: Block
    hash: str

    def __getitem__(self, pack_id: str) -> Pack:
        if pack_id not in self.packs:
            known = "、".join(self.packs)
            raise UsageRefused(
                "R404",
                Text(f"没有标准“{pack_id}”", f"there is no standard “{pack_id}”"),
                Text(f"可选：{known}", f"Choose from: {', '.join(self.packs)}"),
            )
        return self.packs[pack_id]

    def __iter__(self) -> Iterator[Pack]:
        return iter(self.packs.values())

    def version(self, family: str, period: Period) -> Pack | None:
        """The last version of a family that had come into force for the kind by ``as_of``; None if none had.

        It stays the yardstick after it lapses without a successor (领航 after 2025); ``in_force_on`` tells.
        """
        dated = [
            (start, self[v]) for v in self.families[family] if (start := self[v].came_into_force(period))
        ]
        return max(dated, key=lambda pair: pair[0])[1] if dated else None


@cache
def rulebook() -> Rulebook:
    """The rulebook that ships."""
    return load_rulebook(seed(), catalogue())


def load_rulebook(root: Path, fields: Catalogue) -> Rulebook:
    """Load and check ``root/rules`` and ``root/programmes``; RulesRefused names all that is wrong."""
    found: list[Complaint] = []
    digest = hashlib.sha256()
    shared_text = (root / "rules" / "shared.yaml").read_bytes()
    complaints = Complaints("rules/shared.yaml", found)
    block = load_block(root / "rules" / "shared.yaml", complaints)
    if block is None:
        raise rules_refused(found)
    shared, size = read_shared(Reader(complaints, fields), block)
    packs: list[Pack] = []
    information: list[Information] = []
    for path in _pack_files(root):
        text = path.read_bytes()
        digest.update(f"{path.name}\n".encode() + text)
        own = Complaints(path.relative_to(root).as_posix(), found)
        pack_block = load_block(path, own)
        if pack_block is None:
            continue
        reader = Reader(own, fields)
        if "information" in pack_block:
            read = partial(parse_information, reader, shared)
            information += reader.each(pack_block["information"], pack_block, "information", read)
            continue
        try:
            pack = parse_pack(
                reader, shared, block.get("groups", {}), size, pack_block,
                shared_text + text, own.file, path.parent.name == "programmes",
            )  # fmt: skip
        except Unreadable:
            continue
        check_pack(own, pack, path.stem)
        packs.append(pack)
    if found:
        raise rules_refused(found)
    ladder_path = root / "ladder.yaml"
    digest.update(shared_text + ladder_path.read_bytes())
    return _assemble(packs, information, ladder_path, digest.hexdigest())


def _pack_files(root: Path) -> list[Path]:
    rules = sorted(path for path in (root / "rules").glob("*.yaml") if path.name != "shared.yaml")
    return rules + sorted((root / "programmes").glob("*.yaml"))


def _assemble(packs: list[Pack], information: list[Information], ladder_path: Path, digest: str) -> Rulebook:
    complaints = Complaints("ladder.yaml")
    ladder = load_block(ladder_path, complaints)
    complaints.raise_if_any()
    assert ladder is not None
    by_id = {pack.id: pack for pack in packs}
    families = ladder["families"]
    named = [(pack_id, ladder.lines["order"]) for pack_id in ladder["order"]]
    named += [(version, families.lines[family]) for family in families for version in families[family]]
    for pack_id, line in named:
        if pack_id not in by_id:
            complaints.add(line, "R014", f"没有标准“{pack_id}”", f"no standard “{pack_id}”")
    complaints.raise_if_any()
    order = list(ladder["order"])
    ordered = {pack_id: by_id[pack_id] for pack_id in order} | {p.id: p for p in packs if p.id not in order}
    versions = {family: tuple(ids) for family, ids in families.items()}
    return Rulebook(ordered, tuple(information), versions, ladder, digest)


def read_shared(r: Reader, block: Block) -> tuple[Shared, SizeTable | None]:
    """What packs (and plans) refer to by name, and the size table, from ``shared.yaml``."""
    return _shared(r, block), _size_table(r, block)


def _shared(r: Reader, block: Block) -> Shared:
    r.only(block, ("documents", "sectors", "quantities", "groups", "size_table"))
    return Shared(
        _named(r, block, "documents", lambda key, item: parse_document(r, key, item)),
        _named(r, block, "sectors", lambda key, item: (r.text(item, "name"), *parse_codes(r, item))),
        _named(r, block, "quantities", lambda key, item: parse_quantity(r, item)),
    )


def _named(r: Reader, block: Block, key: str, read: Any) -> dict[str, Any]:
    found = {}
    for name, item in r.need(block, key).items():
        try:
            found[name] = read(name, item)
        except Unreadable:
            continue
    return found


def _size_table(r: Reader, block: Block) -> SizeTable | None:
    try:
        table = r.need(block, "size_table")
        industry = r.field(table, "industry")
        figures = tuple(r.fields[key] for key in ("employees", "revenue", "total_assets"))
        rows = tuple(r.each(r.need(table, "rows"), table, "rows", lambda row: _size_row(r, row)))
    except Unreadable:
        return None
    # 59 may be 591 or the rest of 59, 70 may be 7010, 702, …: too short for this table.
    return SizeTable(industry, figures, rows, tuple(sorted(_size_unclear(r, table["rows"]))))


def _size_unclear(r: Reader, rows: Items) -> set[int]:
    return {code for row in rows for code in parse_codes(r, row)[1]}


def _size_row(r: Reader, block: Block) -> SizeRow:
    r.only(block, ("row", "name", "codes", "employees", "revenue", "total_assets", "confidence"))
    bounds = tuple(
        _bounds(r, block, key, unit)
        for key, unit in (("employees", "人"), ("revenue", "元"), ("total_assets", "元"))
    )
    runs = parse_codes(r, block)[0]
    return SizeRow(r.count(block, "row"), r.text(block, "name"), runs, bounds, block.get("confidence", "A"))


def _bounds(r: Reader, block: Block, key: str, unit: str) -> tuple[int, int, int] | None:
    if key not in block:
        return None
    lines = [int(r.line(block, key, unit, written)) for written in block[key]]
    if len(lines) != 3 or lines != sorted(lines, reverse=True):
        raise r.complain(
            block, "R021", f"{key} 应为大、中、小三个递减下限", f"{key} needs three falling bounds", key
        )
    return lines[0], lines[1], lines[2]
