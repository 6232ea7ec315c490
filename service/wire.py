"""What comes over the wire: strict JSON, clean text, and JSON out; ``Blueprint`` reads all arguments by it.

Refused: invalid UTF-8, NUL and half surrogate pairs in any string, a key twice, NaN and Infinity, numbers
beyond a float, nesting deeper than 50.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import unquote_to_bytes

import flask_smorest  # type: ignore[import-untyped]
import marshmallow as ma
import orjson
from flask import Request, Response, request
from webargs.core import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import NotFound, RequestEntityTooLarge, UnsupportedMediaType

from models.errors import Text, TiduiError
from service.fields import FieldProblem, FieldsRefused

View = TypeVar("View", bound=Callable[..., Any])
SchemaLike = ma.Schema | type[ma.Schema]
DEPTH = 50
NUMBER_LENGTH = 400
QUERIES = 500
"""Read queries that are kept, each at most a few kilobytes."""
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)
_UNCLEAN = re.compile("[\0\ud800-\udfff]")
UNCLEAN = Text(
    "含有不能用的字符（NUL 或半个代理对）", "holds characters that are no text (NUL, lone surrogate)"
)


class BodyRefused(TiduiError):
    """A body that is not the JSON it should be."""

    status = 400


def answer(
    body: Any, status: int = 200, *, etag: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """JSON by orjson (bytes are sent as they are), with a strong ETag where one is given."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = Response(content, status, mimetype="application/json")
    if etag is not None:
        response.headers["ETag"] = f'"{etag}"'
    if headers:
        response.headers.extend(headers)
    return response


def not_modified(etag: str) -> Response | None:
    """The 304 where ``If-None-Match`` names this ETag (or ``*``), else None."""
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    if given is None or (given.strip() != f'"{etag}"' and not request.if_none_match.contains_weak(etag)):
        return None
    response = Response(status=304)
    response.headers["ETag"] = f'"{etag}"'
    return response


def parse_json(body: bytes) -> Any:
    """The value of a JSON document. BodyRefused (R400…R403, R407), FieldsRefused (F006, unclean strings)."""
    _refuse_depth(body)
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        _refuse("R401", "请求体不是 UTF-8", "the body is not UTF-8", error)
    except json.JSONDecodeError as error:
        where = f"{error.lineno}:{error.colno}"
        _refuse("R400", "请求体不是合法的 JSON", "the body is not valid JSON", error, where)
    if b"\\u" in body or b"\0" in body:
        problems = [FieldProblem(pointer, "F006", UNCLEAN) for pointer in _unclean(value, "")]
        if problems:
            raise FieldsRefused(problems)
    return value


def refuse_unclean_request() -> None:
    """Path and query must be text: a path that is not leads nowhere (404), a query is refused."""
    environ = request.environ
    path = environ.get("PATH_INFO", "")
    if not path.isascii() or "\0" in path:
        _refuse_path(path)
    query = environ.get("QUERY_STRING", "")
    if "%" in query or not query.isascii():
        _refuse_query(query)


class Parser(FlaskParser):
    """webargs, reading JSON by :func:`parse_json` and asking for the right media type.

    A query parameter that nobody knows is refused like a field: ``asof=`` must not pass for ``as_of=``.
    """

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012  (as webargs declares it)
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": ma.RAISE,
        "querystring": ma.RAISE,
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._read: dict[tuple[int, str], dict[str, Any]] = {}

    def parse(
        self, argmap: Any, req: Request | None = None, *, location: str | None = None, **options: Any
    ) -> Any:
        """As webargs does it; a query that was read before is not read again.

        What a query says depends on nothing but its text, and the same few stand in most requests.
        """
        if location != "query" or not isinstance(argmap, ma.Schema):
            return super().parse(argmap, req, location=location, **options)
        asked = (id(argmap), request.environ.get("QUERY_STRING", ""))  # schemas live as long as the views
        known = self._read.get(asked)
        if known is None:
            known = super().parse(argmap, req, location=location, **options)
            if len(self._read) >= QUERIES:
                self._read.clear()
            self._read[asked] = known
        return known.copy()

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        # Of a chunked body werkzeug reads as much as is allowed and says nothing of the rest.
        if req.content_length is None and len(body) >= (req.max_content_length or math.inf):
            raise RequestEntityTooLarge
        if not req.is_json:
            if body or req.mimetype:
                raise UnsupportedMediaType
            return missing
        return parse_json(body) if body else missing


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """What every noun of the API is made of: flask-smorest's, with our parser and with types."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: SchemaLike, **options: Any) -> Callable[[View], View]:
        # Of a class webargs would make an instance a call, which costs more than reading the arguments.
        made = schema if isinstance(schema, ma.Schema) else schema()
        return cast("Callable[[View], View]", super().arguments(made, **options))

    def response(
        self, status_code: int, schema: SchemaLike | None = None, **options: Any
    ) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().response(status_code, schema, **options))

    def alt_response(self, status_code: int, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().alt_response(status_code, **options))

    def doc(self, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().doc(**options))

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().route(rule, **options))

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().get(rule, **options))

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().post(rule, **options))

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().patch(rule, **options))

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().delete(rule, **options))


def _refuse_path(path: str) -> None:
    try:
        if "\0" in path.encode("latin-1").decode():
            raise NotFound
    except UnicodeError as error:
        raise NotFound from error


def _refuse_query(query: str) -> None:
    try:
        text = unquote_to_bytes(query.encode("latin-1")).decode()
    except UnicodeError as error:
        _refuse("R405", "网址里的查询参数不是 UTF-8", "the query of the address is not UTF-8", error)
    if "\0" in text:
        names = [name for name, values in request.args.lists() if any("\0" in v for v in (name, *values))]
        raise FieldsRefused(
            [FieldProblem(f"query:{name}".replace("\0", "�"), "F006", UNCLEAN) for name in names]
        )


def _refuse_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= DEPTH:
        return
    depth = 0
    for token in _TOKENS.finditer(body):
        depth += 1 if token[1] else -1 if token[2] else 0
        if depth > DEPTH:
            _refuse("R402", f"JSON 嵌套超过 {DEPTH} 层", f"JSON nested deeper than {DEPTH}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse("R403", f"JSON 里“{_shown(twice)}”写了两次", f"“{_shown(twice)}” stands twice in the JSON")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_number(text)
    return number


def _whole(text: str) -> int:
    if len(text) > NUMBER_LENGTH:
        _refuse_number(text)
    return int(text)


def _refuse_number(text: str) -> NoReturn:
    shown = text if len(text) <= 20 else text[:20] + "…"
    _refuse("R407", f"JSON 里的数“{shown}”不能用", f"the number “{shown}” in the JSON cannot be used")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_number, parse_float=_finite, parse_int=_whole
)


def _unclean(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, str):
        if _UNCLEAN.search(value):
            yield pointer
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _unclean(item, f"{pointer}/{place}")
    elif isinstance(value, dict):
        for name, item in value.items():
            below = f"{pointer}/{_shown(name)}"
            if _UNCLEAN.search(name):
                yield below
            yield from _unclean(item, below)


def _shown(name: str) -> str:
    """As one step of a JSON pointer, and always printable."""
    return _UNCLEAN.sub("�", name).replace("~", "~0").replace("/", "~1")[:100]


def _refuse(
    code: str, zh: str, en: str, cause: Exception | None = None, place: str | None = None
) -> NoReturn:
    raise BodyRefused(code, Text(zh, en), place=place) from cause
