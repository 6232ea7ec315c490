"""A bare Flask JSON endpoint: what the service is measured against."""

from __future__ import annotations

from flask import Flask, Response, jsonify


def make_app() -> Flask:
    app = Flask(__name__)

    @app.get("/firm")
    def firm() -> Response:
        return jsonify(uscc="91310115XX000000YT", name="合成示例", recognised=0, qualifies=1, could_reach=3)

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    return app
