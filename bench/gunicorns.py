"""`python -m bench.gunicorns MODULE:FACTORY`: another application under the settings that `loyalty serve` uses."""

import sys
from typing import Any

from gunicorn.util import import_app

from loyalty.cli.serve import Server
from loyalty.config import Settings, from_environment


class Yardstick(Server):
    """The service's own gunicorn, with an application to compare it with."""

    def __init__(self, application: str, settings: Settings) -> None:
        self.application = application
        super().__init__(settings)

    def load_config(self) -> None:
        """The service's settings; only its metrics do not concern us."""
        super().load_config()
        self.cfg.set("child_exit", lambda _arbiter, _worker: None)

    def load(self) -> Any:
        """The application to compare with."""
        return import_app(f"{self.application}()")


if __name__ == "__main__":
    Yardstick(sys.argv[1], from_environment()).run()
