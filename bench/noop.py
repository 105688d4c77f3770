"""The least that Flask can do: one route, one constant."""

from flask import Flask, Response


def create_app() -> Flask:
    """An application that answers `GET /`."""
    app = Flask("noop", static_folder=None)

    @app.get("/")
    def noop() -> Response:
        return Response('{"status":"ok"}', mimetype="application/json")

    return app
