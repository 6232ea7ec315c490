"""What gunicorn loads: one application per worker process, made after the fork."""

from __future__ import annotations

from flask import Flask

from models.settings import read_settings
from service.app import create_app


def make_app() -> Flask:
    return create_app(read_settings())
