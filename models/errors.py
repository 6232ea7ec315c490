"""The one error tree: every refusal has a code, says what is wrong and what to do, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages, Chinese first."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh

    def format(self, **values: object) -> Text:
        return Text(self.zh.format(**values), self.en.format(**values))


class TiduiError(Exception):
    """A refusal the user can act on.

    ``code`` is stable and documented; ``status`` is the HTTP status a web view answers with;
    ``place`` says where (a file, a row, a line of a rule pack) when there is a where.
    """

    status = 400

    def __init__(self, code: str, message: Text, hint: Text | None = None, place: str | None = None) -> None:
        super().__init__(message.zh)
        self.code = code
        self.message = message
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        where = f"{self.place}：" if self.place else ""
        hint = f"\n  → {self.hint.zh}\n  → {self.hint.en}" if self.hint else ""
        return f"{self.code} {where}{self.message.zh}\n  {self.message.en}{hint}"


class FileRefused(TiduiError):
    """A file that cannot be read, or may not be."""

    status = 422


class OutputRefused(TiduiError):
    """A result that cannot be written where it was asked for."""

    status = 507


class RulesRefused(TiduiError):
    """A rule pack that does not hold together. ``place`` is ``file:line``."""

    status = 500


class UsageRefused(TiduiError):
    """A question that cannot be answered as asked: unknown standard, kind, firm."""


class LearnRefused(TiduiError):
    """A history from which nothing can be learned, or a model that may not be used as asked."""

    status = 422


class ModelRefused(TiduiError):
    """A model's file that is not what it says it is."""

    status = 422
