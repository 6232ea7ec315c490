"""A file out of a request, streamed to the disk: a form's part called ``file``, or the whole body."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from models.errors import Text, TiduiError
from models.settings import Settings
from models.uploads.receive import Incoming, incoming, too_large

PART = "file"
_FORM_ROOM = 1 << 20
"""Of a form, beside the file: boundaries, headers, small fields."""
_CHUNK = 1 << 20


class NoFile(TiduiError):
    """The request holds no file."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that has been written down, and what it is called."""

    part: Incoming
    name: str


@contextmanager
def arriving(settings: Settings, name: str | None) -> Iterator[Arrived]:
    """Read the request's file. ``name`` stands before the one that a form gives.

    Raises NoFile (U400), TooLarge (U413), NoRoom (U507). Nothing of the file is left on the disk afterwards.
    """
    request.max_content_length = settings.upload_limit + _FORM_ROOM
    with incoming(settings) as part:
        try:
            given = _from_form(part) if request.mimetype == "multipart/form-data" else _from_body(part, name)
        except RequestEntityTooLarge as error:
            raise too_large(settings.upload_limit) from error
        if given is None:
            raise NoFile(
                "U400",
                Text("请求里没有文件", "the request holds no file"),
                Text(
                    "curl -F file=@名册.csv，或 curl --data-binary @名册.csv 并写 ?name=名册.csv",
                    "curl -F file=@firms.csv, or curl --data-binary @firms.csv with ?name=firms.csv",
                ),
            )
        yield Arrived(part, name or given)


def _from_body(part: Incoming, name: str | None) -> str | None:
    """The name of a file that is the whole body; None where there is no body."""
    while chunk := request.stream.read(_CHUNK):
        part.write(chunk)
    return (name or "upload") if part.size else None


def _from_form(part: Incoming) -> str | None:
    """The name of a form's file; None where the form has no file."""
    files = 0

    def place(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> Any:
        nonlocal files
        files += 1
        if files > 1:
            raise NoFile(
                "U400",
                Text("一次只传一个文件", "one file at a time"),
                Text("表单里只留名为 file 的一项", "Keep the one part called file"),
            )
        return part

    reader = FormDataParser(
        stream_factory=place, max_form_memory_size=_FORM_ROOM, max_form_parts=20, silent=False
    )
    try:
        _, _, found = reader.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except ValueError as error:
        raise NoFile(
            "U400",
            Text("表单读不出", "the form cannot be read"),
            Text("检查 Content-Type 里的 boundary", "Look at the boundary in Content-Type"),
        ) from error
    file = found.get(PART)
    return None if file is None else file.filename or "upload"
