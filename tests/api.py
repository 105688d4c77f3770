"""A shop that talks to the service over HTTP. Every answer it gets is held against the contract."""

from json import dumps
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from loyalty.programs.domain import Program
from tests.contract.validator import validate_response


class Api:
    """HTTP with a key. `Api.as_key(other)` is the same shop with another one."""

    def __init__(self, app: Flask, program: Program, key: str | None) -> None:
        self.app = app
        self.program = program
        self.key = key

    def as_key(self, key: str | None) -> "Api":
        """The same program through another key (None: without one)."""
        return Api(self.app, self.program, key)

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """Send a request; `json=` and `headers=` as with any client."""
        headers = dict(kwargs.pop("headers", {}))
        if "json" in kwargs:  # not through the service's own JSON, which has its limits
            kwargs |= {"data": dumps(kwargs.pop("json")), "content_type": "application/json"}
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        response = self.app.test_client().open(path, method=method, headers=headers, **kwargs)
        validate_response(self.app, method, path, response)
        return response

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        """POST."""
        return self.call("POST", path, **({"json": json} if json is not None else {}), **kwargs)

    def put(self, path: str, json: Any, **kwargs: Any) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, json=json, **kwargs)

    def patch(self, path: str, json: Any, **kwargs: Any) -> TestResponse:
        """PATCH."""
        return self.call("PATCH", path, json=json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path, **kwargs)

    def enrol(self, customer_id: str = "c-42", **profile: Any) -> dict[str, Any]:
        """Enrol a customer."""
        response = self.put(f"/v1/members/{customer_id}", profile)
        assert response.status_code in (200, 201), response.json
        return response.json

    def balance(self, customer_id: str = "c-42") -> dict[str, Any]:
        """A member's balance."""
        return self.get(f"/v1/members/{customer_id}/balance").json
