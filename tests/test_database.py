"""A database in trouble refuses in one sentence, loses nothing, and works again."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process_state import descriptors
from tests.waiting import DEADLINE
from tuihost import Database, DatabaseError, DatabaseFault
from tuihost.database import READERS

MIGRATIONS = (("create table word (text text primary key, length integer not null) strict",),)
MORE = (*MIGRATIONS, ("alter table word add column language text not null default 'en'",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "words.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = opened(path)
    yield database
    database.close()


def opened(path: Path, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> Database:
    return Database(path, migrations, called="the dictionary", busy=0.05)


def add(database: Database, *words: str) -> None:
    with database.writing() as connection:
        for word in words:
            connection.execute("insert into word values (?, ?)", (word, len(word)))


def words(database: Database) -> list[str]:
    with database.reading() as connection:
        return [text for (text,) in connection.execute("select text from word order by text")]


def fault_of(work: Callable[[], object]) -> tuple[DatabaseFault, str]:
    with pytest.raises(DatabaseError) as caught:
        work()
    return caught.value.fault, str(caught.value)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One that was there before the test, as a host that a module shares has them."""
    database = opened(tmp_path_factory.mktemp("kept") / "words.sqlite3")
    add(database, "first")
    yield database
    database.close()


# ---------------------------------------------------------------------------------------- use


def test_reading_makes_no_file_and_finds_empty_tables(database: Database, path: Path) -> None:
    assert words(database) == []
    assert os.listdir(path.parent) == []
    add(database, "quay")
    assert words(database) == ["quay"]


def test_it_is_empty_until_there_is_a_file(path: Path, tmp_path: Path) -> None:
    database = opened(path)
    assert database.is_empty()
    other = opened(path)
    other.open()
    other.close()
    assert not database.is_empty(), "another process made it"
    database.close()
    assert not database.is_empty(), "reading says that it is closed"
    with pytest.raises(DatabaseError, match="no such folder"):
        opened(tmp_path / "nowhere" / "words.sqlite3").is_empty()


def test_a_file_that_another_process_made_meanwhile_is_read(path: Path) -> None:
    database, other = opened(path), opened(path)
    assert words(database) == []
    add(other, "pier")
    assert words(database) == ["pier"]
    for each in (database, other):
        each.close()


def test_the_files_are_for_nobody_else(database: Database, path: Path) -> None:
    add(database, "buoy")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes["words.sqlite3"] == modes["words.sqlite3-wal"] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    add(database, "reef")
    with pytest.raises(sqlite3.IntegrityError):
        add(database, "gone", "reef")
    assert words(database) == ["reef"]
    add(database, "tide")
    assert words(database) == ["reef", "tide"]


def test_a_mistake_in_a_statement_is_not_called_a_fault_of_the_file(database: Database) -> None:
    add(database, "keel")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        add(database, "keel")
    with pytest.raises(sqlite3.ProgrammingError), database.reading() as connection:
        connection.execute("select ?", ())
    assert words(database) == ["keel"]


def test_every_connection_is_prepared(path: Path) -> None:
    def prepare(connection: sqlite3.Connection) -> None:
        connection.create_function("fold", 1, str.casefold, deterministic=True)

    database = Database(path, MIGRATIONS, prepare=prepare)
    for use in (database.reading, database.writing, database.reading):
        with use() as connection:
            assert connection.execute("select fold('Quay')").fetchone() == ("quay",)
            assert connection.execute("pragma foreign_keys").fetchone() == (1,)
    database.close()


def test_threads_read_at_one_time_and_beside_a_writer(database: Database) -> None:
    add(database, "mast")
    together = threading.Barrier(READERS + 1)
    found: list[int] = []

    def read() -> None:
        with database.reading() as connection:
            together.wait(DEADLINE)
            found.append(connection.execute("select count(*) from word").fetchone()[0])
            together.wait(DEADLINE)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    with database.writing() as connection:
        connection.execute("insert into word values ('boom', 4)")
        together.wait(DEADLINE)
        together.wait(DEADLINE)
    for thread in threads:
        thread.join(DEADLINE)
    assert found == [1] * READERS, "nobody waits for the writer, nor sees half of what it does"
    assert words(database) == ["boom", "mast"]


def test_connections_that_a_shared_one_keeps_are_not_left_by_the_test(kept: Database) -> None:
    with kept.reading() as first, kept.reading() as second:
        assert first is not second


def test_the_files_descriptors_are_bounded_and_given_back(path: Path) -> None:
    before = descriptors()
    database = opened(path)
    add(database, "rope")
    for _ in range(20):
        assert words(database) == ["rope"]
    assert len(descriptors() - before) <= 6, "one reader and one writer"
    database.close()
    assert not descriptors() - before


# ------------------------------------------------------------------------------------- faults

HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("begin immediate")
print("held", flush=True)
sys.stdin.read()
"""


def test_locked_by_another_process(database: Database, path: Path) -> None:
    add(database, "deck")
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        fault, sentence = fault_of(lambda: add(database, "bilge"))
        assert fault is DatabaseFault.BUSY
        assert sentence == f"the dictionary {path} is locked by another process"
        assert words(database) == ["deck"], "readers do not wait for who writes"
        holder.communicate(timeout=DEADLINE)
    add(database, "bilge")
    assert words(database) == ["bilge", "deck"]


def test_held_by_a_thread_of_this_process(database: Database) -> None:
    database._busy = -0.95  # seconds: our own threads wait for one more
    with database.writing():
        waiting: list[tuple[DatabaseFault, str]] = []
        thread = threading.Thread(
            target=lambda: waiting.append(fault_of(lambda: add(database, "fin")))
        )
        thread.start()
        thread.join(DEADLINE)
    assert waiting[0][0] is DatabaseFault.BUSY
    assert waiting[0][1].endswith("is busy")


def test_a_disk_that_is_full_before_the_file_is_opened_does_not_fail(database: Database) -> None:
    def no_room() -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
        with database._translated():
            raise error

    assert fault_of(no_room)[0] is DatabaseFault.FULL


def test_a_full_disk_refuses_and_loses_nothing(database: Database) -> None:
    add(database, "hull")
    with database.writing() as connection:
        (pages,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {pages}")
    fault, sentence = fault_of(lambda: add(database, "x" * 100_000))
    assert fault is DatabaseFault.FULL
    assert sentence.endswith("cannot grow: the disk is full")
    with database.writing() as connection:
        connection.execute("pragma max_page_count = 1000000")
    assert words(database) == ["hull"]
    add(database, "sail")
    assert words(database) == ["hull", "sail"]


def test_a_damaged_file_is_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"this was never a database" * 100)
    before = path.read_bytes()
    database = opened(path)
    for work in (lambda: words(database), lambda: add(database, "oar"), database.open):
        assert fault_of(work)[0] is DatabaseFault.DAMAGED
    assert path.read_bytes() == before
    path.unlink()  # the operator takes it away: nothing of ours was in it
    add(database, "oar")
    database.close()


def test_damage_inside_a_file(path: Path) -> None:
    database = opened(path)
    add(database, *(f"word number {number}" for number in range(2000)))
    database.close()
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)
    database = opened(path)
    assert fault_of(lambda: words(database))[0] is DatabaseFault.DAMAGED
    database.close()


def test_a_file_that_is_gone_is_not_made_anew(database: Database, path: Path) -> None:
    add(database, "knot")
    away = path.with_name("away")
    path.rename(away)
    for work in (lambda: words(database), lambda: add(database, "spar")):
        fault, sentence = fault_of(work)
        assert fault is DatabaseFault.GONE
        assert sentence == f"the dictionary {path} is gone"
    assert not path.exists()
    away.rename(path)
    assert words(database) == ["knot"]


def test_a_file_that_was_put_back_from_a_copy_is_noticed(database: Database, path: Path) -> None:
    add(database, "cleat")
    copy = path.with_name("copy")
    with database.reading() as connection:
        connection.execute("vacuum into ?", (str(copy),))
    add(database, "winch")
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink()
    copy.replace(path)
    assert words(database) == ["cleat"]
    add(database, "shackle")
    assert words(database) == ["cleat", "shackle"]


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, why in (
        (tmp_path / "nowhere" / "words", "there is no such folder"),
        (tmp_path / "file" / "words", "Not a directory"),
    ):
        for work in (lambda: words(opened(path)), lambda: add(opened(path), "x")):  # noqa: B023
            fault, sentence = fault_of(work)
            assert fault is DatabaseFault.NOT_OPENED
            assert sentence == f"the dictionary {path} cannot be opened: {why}"
    (tmp_path / "folder").mkdir()
    assert fault_of(opened(tmp_path / "folder").open)[0] is DatabaseFault.NOT_OPENED


def test_names_that_a_url_would_take_apart(tmp_path: Path) -> None:
    for name in ("a b", "50%41", "who?mode=memory", "part#2", "naïve", os.fsdecode(b"latin-\xe9")):
        database = opened(tmp_path / name)
        add(database, "hatch")
        assert words(database) == ["hatch"]
        assert (tmp_path / name).stat().st_size > 0
        database.close()


def test_closed(database: Database) -> None:
    add(database, "berth")
    database.close()
    database.close()
    for work in (lambda: words(database), lambda: add(database, "dock"), database.open):
        assert fault_of(work)[0] is DatabaseFault.CLOSED


def test_closing_lets_a_reader_finish(path: Path) -> None:
    database = opened(path)
    add(database, "wharf")
    with database.reading() as connection:
        database.close()
        assert connection.execute("select text from word").fetchall() == [("wharf",)]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("select 1")


def test_closing_does_not_wait_for_ever_for_a_writer(path: Path) -> None:
    database = opened(path)
    writing, closed = threading.Event(), threading.Event()

    def write() -> None:
        with database.writing() as connection:
            connection.execute("insert into word values ('wharf', 5)")
            writing.set()
            assert closed.wait(DEADLINE)

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(DEADLINE)
    closing = threading.Thread(target=database.close, daemon=True)
    closing.start()
    closing.join(DEADLINE)
    ended = not closing.is_alive()
    closed.set()
    thread.join(DEADLINE)
    assert ended, "close() waits no longer than `busy`"
    assert database._writer.open is None, "the end of the block has closed it"
    again = opened(path)
    assert words(again) == ["wharf"]
    again.close()


def test_closing_inside_ones_own_transaction(path: Path) -> None:
    database = opened(path)

    def write() -> None:
        with database.writing() as connection:
            database.close()
            connection.execute("insert into word values ('wharf', 5)")

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    assert not thread.is_alive()
    assert fault_of(lambda: add(database, "dock"))[0] is DatabaseFault.CLOSED
    assert database._writer.open is None
    again = opened(path)
    assert words(again) == ["wharf"]
    again.close()


def test_a_link_to_nothing_is_no_place_to_write_to(path: Path) -> None:
    target = path.with_name("not-mounted") / "words.sqlite3"
    path.symlink_to(target)
    database = opened(path)
    for work in (lambda: words(database), lambda: add(database, "x"), database.check):
        fault, sentence = fault_of(work)
        assert fault is DatabaseFault.NOT_OPENED
        assert sentence.endswith(f"cannot be opened: it is a link to {target}, which is not there")
    elsewhere = opened(path.with_name("elsewhere"))
    elsewhere.open()
    elsewhere.close()
    target.parent.mkdir()
    path.with_name("elsewhere").rename(target)
    add(database, "hawser")
    assert words(database) == ["hawser"]
    database.close()


# --------------------------------------------------------------------------------- migrations


def test_an_older_file_is_brought_up_to_date_whole_or_not_at_all(path: Path) -> None:
    database = opened(path)
    add(database, "sloop")
    database.close()
    broken = opened(path, (*MIGRATIONS, (MORE[1][0], "this is not SQL")))
    fault, sentence = fault_of(broken.open)
    assert fault is DatabaseFault.OTHER
    assert sentence.startswith(f"the dictionary {path} does not work: ")
    assert "syntax error" in sentence
    better = opened(path, MORE)
    with better.reading() as connection:
        rows = connection.execute("select text, language from word").fetchall()
        assert rows == [("sloop", "en")]
        assert connection.execute("pragma user_version").fetchone() == (2,)
    better.close()


def test_a_newer_file_is_left_alone(path: Path) -> None:
    newer = opened(path, MORE)
    add_one = "insert into word (text, length) values ('yawl', 4)"
    with newer.writing() as connection:
        connection.execute(add_one)
    newer.close()
    before = path.read_bytes()
    fault, sentence = fault_of(opened(path).open)
    assert fault is DatabaseFault.NEWER
    assert sentence.endswith("was written by a newer version (its version is 2, not 1)")
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("create table bread (butter)")
    other.commit()
    other.close()
    before = path.read_bytes()
    for work in (lambda: words(opened(path)), lambda: add(opened(path), "x")):
        assert fault_of(work)[0] is DatabaseFault.NOT_OURS
    ours = path.with_name("ours")
    database = Database(ours, MIGRATIONS, application_id=0x7465_7374)
    database.open()
    database.close()
    assert fault_of(opened(ours).open)[0] is DatabaseFault.NOT_OURS, "another application's"
    assert path.read_bytes() == before


def test_a_version_below_zero_is_something_elses(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("create table bread (butter)")
        other.execute("pragma user_version = -1")
    other.close()
    for work in (lambda: words(opened(path)), lambda: add(opened(path), "x")):
        assert fault_of(work)[0] is DatabaseFault.NOT_OURS


@pytest.mark.parametrize("application_id", [0, 0x7465_7374])
def test_without_migrations_it_is_opened_again(path: Path, application_id: int) -> None:
    for _ in range(2):
        database = Database(path, [], application_id=application_id)
        with database.writing() as connection:
            connection.execute("create table if not exists word (text text)")
        database.close()
    with pytest.raises(DatabaseError, match="something else"):
        Database(path, [], application_id=application_id + 1).open()


def test_of_two_that_open_an_empty_file_at_once_one_makes_the_tables(path: Path) -> None:
    databases = [Database(path, MORE) for _ in range(4)]
    together = threading.Barrier(len(databases))
    faults: list[BaseException] = []

    def begin(database: Database) -> None:
        together.wait(DEADLINE)
        try:
            database.open()
        except DatabaseError as error:
            faults.append(error)

    threads = [threading.Thread(target=begin, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert faults == []
    for database in databases:
        assert words(database) == []
        database.close()


# -------------------------------------------------------------------------------------- forks

FORK = """
import os, sys
from pathlib import Path
from tuihost import Database

database = Database(Path(sys.argv[1]), [["create table word (text text)"]])

def add(word):
    with database.writing() as connection:
        connection.execute("insert into word values (?)", (word,))

add("before")
inherited = database._writer.open
reader, writer = os.pipe()
child = os.fork()
if not child:
    try:
        assert database._writer.open is None, "a child opens the file for itself"
        add("child")
        assert database._writer.open is not inherited
        os.write(writer, b"well")
    finally:
        os._exit(0)
os.close(writer)
assert os.read(reader, 10) == b"well"
assert os.waitpid(child, 0)[1] == 0
assert database._writer.open is inherited
add("after")
with database.reading() as connection:
    print([text for (text,) in connection.execute("select text from word order by rowid")])
database.close()
"""


def test_after_a_fork_the_child_has_connections_of_its_own(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['before', 'child', 'after']\n", "")


FORK_BESIDE = """
import os, sys, threading
from pathlib import Path
from tuihost import Database

database = Database(Path(sys.argv[1]), [["create table word (text text)"]], busy=5.0)
inside, forking = threading.Event(), threading.Event()

def add(word):
    with database.writing() as connection:
        connection.execute("insert into word values (?)", (word,))

def beside():
    with database.writing() as connection:
        connection.execute("insert into word values ('beside')")
        inside.set()
        assert forking.wait(60)

database.open()
thread = threading.Thread(target=beside)
thread.start()
assert inside.wait(60)
os.register_at_fork(before=forking.set)
child = os.fork()
if not child:
    try:
        add("child")
    except BaseException as error:
        print(error, flush=True)
    finally:
        os._exit(0)
os.waitpid(child, 0)
thread.join()
add("after")
with database.reading() as connection:
    print([text for (text,) in connection.execute("select text from word order by rowid")])
database.close()
"""


def test_a_fork_waits_for_another_threads_writing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK_BESIDE, str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['beside', 'child', 'after']\n", "")


FORK_INSIDE = """
import os, sys
from pathlib import Path
from tuihost import Database, DatabaseError

database = Database(Path(sys.argv[1]), [["create table word (text text)"]], busy=0.05)

def check(block):
    try:
        with block() as inherited:
            child = os.fork()
    except DatabaseError as error:  # in the child, which cannot keep what is its parent's
        print(error, flush=True)
        child = 0
    if not child:
        try:
            assert database._writer.open is not inherited
            assert inherited not in [reader.open for reader in database._readers]
            assert len(database._readers) == 4
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0

database.open()
check(database.reading)
check(database.writing)
with database.writing() as connection:
    connection.execute("insert into word values ('after')")
with database.reading() as connection:
    print([text for (text,) in connection.execute("select text from word")])
database.close()
"""


def test_a_fork_inside_a_block_leaves_the_connection_to_the_parent(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK_INSIDE, str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    sentence = f"the database {path} does not work: the transaction is the parent's"
    assert (done.stdout, done.stderr) == (f"{sentence}\n['after']\n", "")
