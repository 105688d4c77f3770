"""The log goes to where stderr leads when something is said, not when the log was configured."""

import contextlib
import io

import structlog

from loyalty.web import logs


def test_a_log_that_was_configured_while_stderr_was_redirected_speaks_afterwards(capsys):
    with contextlib.redirect_stderr(io.StringIO()) as meanwhile:
        logs.configure("INFO")
    meanwhile.close()

    structlog.get_logger().warning("still here")

    assert '"event":"still here"' in capsys.readouterr().err
