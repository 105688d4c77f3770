"""What is counted of the work of rules while the service runs."""

from collections.abc import Iterable

from prometheus_client import Counter

from loyalty.earning.judging import Verdict

FAILURES = Counter("loyalty_rule_failures_total", "Conditions of earning rules that could not be evaluated.", ["rule"])


def observe(verdicts: Iterable[Verdict]) -> None:
    """Count the conditions that could not be evaluated, by the code of their rule."""
    for verdict in verdicts:
        for code in verdict.judgement.failures:
            FAILURES.labels(code).inc()
