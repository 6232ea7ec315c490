"""Checks of a pack that need more than one line of it: ids, idle branches, limits that never apply."""

from __future__ import annotations

from collections.abc import Iterator

from models.rules.condition import Applies, Condition, Flag, Group, Threshold, Title
from models.rules.pack import Pack
from models.rules.source import Complaints


def check_pack(complaints: Complaints, pack: Pack, stem: str) -> None:
    if pack.id != stem:
        complaints.add(1, "R002", f"文件名应为 {pack.id}.yaml", f"the file must be named {pack.id}.yaml")
    _check_ids(complaints, pack)
    for group in _groups(pack.root):
        _check_branches(complaints, group)
    for member in _members(pack.root):
        if member.applies is not None:
            _check_applies(complaints, pack, member)


def _members(group: Group) -> Iterator[Condition | Group]:
    for member in group.members:
        yield member
        if isinstance(member, Group):
            yield from _members(member)


def _groups(group: Group) -> Iterator[Group]:
    yield group
    yield from (member for member in _members(group) if isinstance(member, Group))


def _check_ids(complaints: Complaints, pack: Pack) -> None:
    seen: dict[str, int] = {}
    roots = [pack.root, *(label.also for label in pack.labels)]
    members = [(m.id, m.line) for root in roots for m in _members(root) if m.id]
    members += [(m.id, m.line) for m in pack.options if m.id]
    for member_id, line in members:
        if member_id in seen:
            complaints.add(
                line,
                "R002",
                f"编号“{member_id}”用了两次（另见第 {seen[member_id]} 行）",
                f"id “{member_id}” is used twice (see line {seen[member_id]})",
            )
        elif ";" in member_id:
            complaints.add(line, "R005", "编号里不能有分号", "an id may not hold a semicolon")
        seen.setdefault(member_id, line)
    if pack.card:
        _check_card_ids(complaints, pack)


def _check_card_ids(complaints: Complaints, pack: Pack) -> None:
    assert pack.card is not None
    seen: set[str] = set()
    for item_id, line in [
        *((part.id, part.line) for part in pack.card.parts),
        *((indicator.id, indicator.line) for indicator in pack.card.indicators()),
    ]:
        if item_id in seen:
            complaints.add(line, "R002", f"编号“{item_id}”用了两次", f"id “{item_id}” is used twice")
        seen.add(item_id)


def _check_branches(complaints: Complaints, group: Group) -> None:
    """Two conditions on one quantity in one group: one may make the other idle, or both cannot hold."""
    plain = [m for m in group.members if isinstance(m, Condition) and m.applies is None]
    for number, later in enumerate(plain):
        for earlier in plain[:number]:
            if _idle(earlier, later):
                complaints.add(
                    later.line,
                    "R025",
                    f"“{later.id}”与“{earlier.id}”重复，永远不起作用",
                    f"“{later.id}” can never decide beside “{earlier.id}”",
                )
            elif group.mode == "all" and _contrary(earlier, later):
                complaints.add(
                    later.line,
                    "R026",
                    f"“{later.id}”与“{earlier.id}”不可能同时满足",
                    f"“{later.id}” and “{earlier.id}” can never both hold",
                )


def _idle(one: Condition, other: Condition) -> bool:
    """Same quantity, same direction: the laxer (in *all*) or the stricter (in *any*) never decides."""
    if one.test == other.test:
        return True
    pair = _thresholds(one, other)
    return pair is not None and _upward(pair[0]) == _upward(pair[1])


def _contrary(one: Condition, other: Condition) -> bool:
    if isinstance(one.test, Flag | Title) and type(one.test) is type(other.test):
        opposite = one.test.field == getattr(other.test, "field", None) and one.test != other.test
        return opposite and getattr(one.test, "back", None) == getattr(other.test, "back", None)
    pair = _thresholds(one, other)
    if pair is None or _upward(pair[0]) == _upward(pair[1]):
        return False
    low, high = pair if _upward(pair[0]) else (pair[1], pair[0])
    strict = low.op == "gt" or high.op == "lt"
    return low.line > high.line or (strict and low.line == high.line)


def _thresholds(one: Condition, other: Condition) -> tuple[Threshold, Threshold] | None:
    if (
        isinstance(one.test, Threshold)
        and isinstance(other.test, Threshold)
        and one.test.quantity == other.test.quantity
    ):
        return one.test, other.test
    return None


def _upward(test: Threshold) -> bool:
    return test.op in {"ge", "gt"}


def _check_applies(complaints: Complaints, pack: Pack, member: Condition | Group) -> None:
    """A condition limited to a kind the pack does not list, or to dates after it, is never examined."""
    applies = member.applies
    assert isinstance(applies, Applies)
    unknown_kind = applies.kind is not None and applies.kind not in (pack.kinds or ("new",))
    reversed_span = applies.start is not None and applies.end is not None and applies.start > applies.end
    if unknown_kind or reversed_span:
        complaints.add(member.line, "R027", "这一限定永远不会起作用", "this limit can never apply")
