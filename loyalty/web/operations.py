"""What operators and readers of the contract call: health, readiness, metrics, the contract and its viewer."""

from importlib.resources import files
from pathlib import Path

from flask import Response, current_app, send_from_directory

from loyalty.db import migrate
from loyalty.db.session import reading
from loyalty.web import metrics, openapi
from loyalty.web.blueprints import Blueprint
from loyalty.web.problems import HTTP_CODES, problem

bp = Blueprint("operations", __name__, description="Health and the contract. No key.")
guarded = Blueprint("metrics", __name__, description="Measures of this deployment.")

_VIEWER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Loyalty API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
_START = 'SwaggerUIBundle({url: "/openapi.yaml", dom_id: "#ui", deepLinking: true});'

_TEXT = {"type": "string"}


def _status(word: str) -> dict[str, object]:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": word}}}


@bp.get("/healthz")
@bp.response(200, _status("ok"), example={"status": "ok"})
def healthz() -> Response:
    """The process answers."""
    return Response('{"status":"ok"}', mimetype="application/json")


@bp.get("/readyz")
@bp.doc(responses={"503": openapi.problem_response(503, {HTTP_CODES[503][0]})})
@bp.response(200, _status("ready"), example={"status": "ready"})
def readyz() -> Response:
    """The database is reachable and its schema is the one this code was written for."""
    with reading() as session:
        found = migrate.revision_of(session)
    if found != migrate.head():
        code, title = HTTP_CODES[503]
        return problem(
            503, code, title, f"The schema is at {found}, this code needs {migrate.head()}: run 'loyalty migrate'."
        )
    return Response('{"status":"ready"}', mimetype="application/json")


@bp.get("/openapi.yaml")
@bp.response(200, {"type": "object", "required": ["openapi", "paths"]}, content_type="application/yaml")
def get_openapi() -> Response:
    """The contract."""
    return Response(openapi.document(current_app.extensions["loyalty-api"]), mimetype="application/yaml")


@bp.get("/docs")
@bp.response(200, _TEXT, content_type="text/html")
def get_docs() -> Response:
    """A viewer of the contract that needs no other site."""
    return Response(_VIEWER, mimetype="text/html")


@bp.get('/docs/<any("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):name>')
@bp.response(200, _TEXT, content_type="text/css")
@bp.alt_response(200, schema=_TEXT, content_type="text/javascript", success=True)
def get_docs_file(name: str) -> Response:
    """A file of the viewer."""
    if name == "start.js":
        return Response(_START, mimetype="text/javascript")
    return send_from_directory(Path(str(files("flask_swagger_ui"))) / "dist", name, max_age=3600)


@guarded.get("/metrics")
@guarded.response(200, _TEXT, content_type="text/plain")
def get_metrics() -> Response:
    """Metrics for Prometheus."""
    measures = current_app.extensions["loyalty-measures"]
    return metrics.exposition(shared_dir=current_app.config["METRICS_DIR"], measures=measures)
