"""``/docs``: the API's documentation from local files only, and what every problem code means."""

from __future__ import annotations

from importlib.resources import files as package_files
from pathlib import Path

from flask import Blueprint, Response, current_app, redirect, render_template, send_from_directory, url_for

from service.extension import tidui
from service.openapi import document
from service.problems import catalogue
from service.security import public
from service.wire import answer

blueprint = Blueprint("docs", __name__)
HOUR = 3600
STATIC = Path(__file__).resolve().parent.parent / "static"
SWAGGER_UI = Path(str(package_files("flask_swagger_ui"))) / "dist"
"""Swagger UI 5, which shows OpenAPI 3.1; only its files are used."""


@blueprint.get("/")
@public
def start() -> Response:
    """A browser at the bare address is led to what there is to see."""
    return redirect(url_for("docs.docs"))  # type: ignore[return-value]


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    app = current_app
    return answer(
        tidui().once("openapi", lambda: document(app)), headers={"Cache-Control": "public, max-age=60"}
    )


@blueprint.get("/docs")
@public
def docs() -> str:
    return render_template("docs.html")


@blueprint.get("/docs/problems")
@public
def problem_list() -> str:
    return render_template("problems.html", problems=catalogue().values())


@blueprint.get("/docs/files/<path:name>")
@public
def files(name: str) -> Response:
    """Swagger UI, from the installed package."""
    return send_from_directory(SWAGGER_UI, name, max_age=HOUR)


@blueprint.get("/docs/static/<path:name>")
@public
def static(name: str) -> Response:
    return send_from_directory(STATIC, name, max_age=HOUR)
