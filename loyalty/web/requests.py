"""What every request gets: an id, its measure, JSON done by orjson."""

import re
import time
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from flask import Flask, Response, after_this_request, g, request
from flask.json.provider import JSONProvider

from loyalty.core import clock
from loyalty.core.answers import Answer
from loyalty.core.ids import new_id
from loyalty.web import metrics

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")


class OrjsonProvider(JSONProvider):
    """JSON in and out through orjson: strict UTF-8, no NaN, times in UTC with a Z."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        """Serialise `obj`."""
        return orjson.dumps(obj, option=orjson.OPT_UTC_Z).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Parse `s`. Raises ValueError for anything that is not JSON."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """A JSON response."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=orjson.OPT_UTC_Z)
        return Response(body, mimetype="application/json")


def stored_answer(answer: Answer, status: int) -> Response:
    """A response whose body was made, and stored, by a use case. A replay says so."""
    response = Response(answer.body, status, mimetype="application/json")
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def json_answer(value: Any, status: int = 200) -> Response:
    """A response made straight from a frozen value, for the routes that shops call at every page view.

    The contract documents its shape by a schema, and a test validates every answer against the contract.
    """
    return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), status, mimetype="application/json")


def answer_once(instant: datetime | None) -> None:
    """Send the answer when an instant has come that is about to: what the request did is committed by then."""
    if instant is not None:
        after_this_request(partial(_sent_at, instant))


def _sent_at(instant: datetime, response: Response) -> Response:
    clock.wait_until(instant)
    return response


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _WELL_FORMED_ID.fullmatch(given) else str(new_id())
    g.began_at = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    metrics.observe(request.endpoint or "none", response.status_code, time.perf_counter() - g.get("began_at", 0.0))
    return response


def init_app(app: Flask) -> None:
    """Give every request its id and its measure."""
    app.json = OrjsonProvider(app)
    app.before_request(_begin)
    app.after_request(_end)
