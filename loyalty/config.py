"""Settings, read once from the environment into a frozen value. The only module that sees the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from loyalty.core.errors import OperatorError

_ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process runs. Every field has an environment variable of the same meaning (docs/operations.md)."""

    # An empty URL means: run the embedded PostgreSQL under `data_dir`.
    database_url: str = ""
    data_dir: Path = Path("var")

    host: str = "127.0.0.1"
    port: int = 8000
    # Two processes keep both cores of a small machine busy; more threads than a core can run lose to the GIL.
    workers: int = 2
    threads: int = 4

    # No statement of the request path takes a second; ten leave room for a cold cache, not for a runaway.
    statement_timeout_ms: int = 10_000
    # A lock is held for one short transaction; whoever waits longer is better refused and retried.
    lock_timeout_ms: int = 5_000

    # Jobs at a time. One that waits for a webhook's receiver, or takes minutes, is not to keep the others.
    worker_concurrency: int = 4
    # Networks of one's own that webhooks may lead into; to these, http:// is allowed, too.
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    # What guesses codes fails: so often at once, and then once in so many seconds, by key and by address. 0: no limit.
    # Guesses at 60 bits are hopeless at any such rate; customers who mistype, all behind one server, are not to suffer.
    failures_per_key: int = 600
    failures_per_key_seconds: int = 1
    failures_per_address: int = 100
    failures_per_address_seconds: int = 1

    # An order of a thousand lines is 200 kB.
    body_max_bytes: int = 1_000_000
    # By which address members reach the service, for the links in messages; empty: messages have none.
    public_url: str = ""
    # Where mail goes out (smtp+starttls://user:password@host, smtps://, smtp://), and what else Apprise reaches.
    smtp_url: str = field(default="", repr=False)
    apprise_urls: str = field(default="", repr=False)
    log_level: str = "INFO"
    # Where the processes of one deployment keep their measures for `/metrics`; empty: each answers for itself.
    metrics_dir: str = ""

    @property
    def pool_size(self) -> int:
        """Connections a process may hold: one per thread, for a thread never needs two."""
        return self.threads


def _integer(environment: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise OperatorError(f"{name} is '{text}', but must be a whole number from {least} to {most}.")
    return value


def _address(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "").strip().rstrip("/")
    if text and not _ADDRESS.fullmatch(text):
        raise OperatorError(f"{name} is '{text}', but must be an address such as https://club.shop.example.")
    return text


def _networks(environment: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    texts = [text for part in environment.get(name, "").split(",") if (text := part.strip())]
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError:
        raise OperatorError(f"{name} must be networks such as 10.1.0.0/16, separated by commas.") from None


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises OperatorError, naming the variable, when a value makes no sense."""
    env = os.environ if environment is None else environment
    default = Settings()
    return Settings(
        database_url=env.get("DATABASE_URL", "").strip(),
        data_dir=Path(env.get("LOYALTY_DATA_DIR", "").strip() or default.data_dir),
        host=env.get("HOST", "").strip() or default.host,
        port=_integer(env, "PORT", default.port, least=1, most=65_535),
        workers=_integer(env, "LOYALTY_WORKERS", default.workers, least=1, most=256),
        threads=_integer(env, "LOYALTY_THREADS", default.threads, least=1, most=64),
        statement_timeout_ms=_integer(
            env, "LOYALTY_STATEMENT_TIMEOUT_MS", default.statement_timeout_ms, least=100, most=600_000
        ),
        lock_timeout_ms=_integer(env, "LOYALTY_LOCK_TIMEOUT_MS", default.lock_timeout_ms, least=100, most=600_000),
        worker_concurrency=_integer(env, "LOYALTY_WORKER_CONCURRENCY", default.worker_concurrency, least=2, most=64),
        webhook_networks=_networks(env, "LOYALTY_WEBHOOK_ALLOWED_NETWORKS"),
        body_max_bytes=_integer(env, "LOYALTY_BODY_MAX_BYTES", default.body_max_bytes, least=1_000, most=100_000_000),
        failures_per_key=_integer(env, "LOYALTY_FAILURES_PER_KEY", default.failures_per_key, least=0, most=1_000_000),
        failures_per_key_seconds=_integer(
            env, "LOYALTY_FAILURES_PER_KEY_SECONDS", default.failures_per_key_seconds, least=1, most=3_600
        ),
        failures_per_address=_integer(
            env, "LOYALTY_FAILURES_PER_ADDRESS", default.failures_per_address, least=0, most=1_000_000
        ),
        failures_per_address_seconds=_integer(
            env, "LOYALTY_FAILURES_PER_ADDRESS_SECONDS", default.failures_per_address_seconds, least=1, most=3_600
        ),
        public_url=_address(env, "LOYALTY_PUBLIC_URL"),
        smtp_url=env.get("LOYALTY_SMTP_URL", "").strip(),
        apprise_urls=env.get("LOYALTY_APPRISE_URLS", "").strip(),
        log_level=env.get("LOYALTY_LOG_LEVEL", "").strip().upper() or default.log_level,
        metrics_dir=env.get("PROMETHEUS_MULTIPROC_DIR", "").strip(),
    )


def publish(name: str, value: str) -> None:
    """Set an environment variable for libraries in this process and its children that read nothing else."""
    os.environ[name] = value


def for_a_child(settings: Settings) -> dict[str, str]:
    """The environment of a child process that finds its database as this process found it, and measures for itself."""
    kept = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    return {**kept, "DATABASE_URL": settings.database_url}
