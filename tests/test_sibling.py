"""The second process: the same results as without it, whatever becomes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rttqa_build import disk
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.sibling import Here, Sibling

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(os.name == "nt", reason="sessions and signals as POSIX has them")


@pytest.fixture
def sibling() -> Iterator[Sibling]:
    with Sibling() as running:
        yield running


def alive(process: int) -> bool:
    """Return whether a process runs; who has ended and waits to be asked about it does not."""
    with contextlib.suppress(OSError):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
        ).stdout
        return bool(state.strip()) and not state.startswith("Z")
    return False


def gone(process: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while alive(process) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(process)


# --- work --------------------------------------------------------------------------------------------------


def test_work_is_done_in_another_process_and_in_order(sibling: Sibling) -> None:
    pids = [sibling.submit(os.getpid) for _ in range(3)]
    assert len({one.result() for one in pids}) == 1
    assert pids[0].result() != os.getpid()
    assert list(sibling.map(len, ["a", "bb", "ccc"])) == [1, 2, 3]


def test_arguments_and_results_may_be_large(sibling: Sibling) -> None:
    data = bytes(range(256)) * (1 << 15)  # 8 MiB: more than a pipe holds
    assert sibling.submit(bytes.swapcase, data).result() == data.swapcase()


def test_an_error_is_raised_where_the_result_is_asked_for(sibling: Sibling, tmp_path: Path) -> None:
    failed = sibling.submit(disk.read, tmp_path / "none", 10, "the list")
    with pytest.raises(RttqaError) as caught:
        failed.result()
    assert caught.value.message == "the list: it is not there"
    assert (caught.value.hint, caught.value.exit_code) == (
        "check the path, and that the drive or share is connected",
        3,
    )
    assert sibling.submit(len, "abc").result() == 3


def test_errors_keep_their_hint_on_the_way(sibling: Sibling) -> None:
    error = UsageError("no", "so", code="U001")
    sent = sibling.submit(vars, error).result()
    assert sent == {"message": "no", "hint": "so", "code": "U001", "exit_code": 2}


def test_what_libraries_print_is_no_answer(sibling: Sibling) -> None:
    assert sibling.submit(print, "chatter").result() is None
    assert sibling.submit(os.system, "echo chatter").result() == 0
    assert sibling.submit(len, "abc").result() == 3


def test_a_request_that_cannot_be_sent_is_done_here(sibling: Sibling) -> None:
    assert sibling.submit(lambda number: os.getpid() + number, 0).result() == os.getpid()
    assert sibling.submit(os.getpid).result() != os.getpid()


def test_an_error_tells_the_places_that_it_passed(sibling: Sibling, tmp_path: Path) -> None:
    error = sibling.submit(disk.read, tmp_path / "none", 10, "the list").exception()
    assert error is not None
    assert "disk.py" in {Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)}


def test_an_error_that_cannot_be_sent_is_raised(sibling: Sibling) -> None:
    with pytest.raises(Exception, match="told"):
        sibling.submit(exec, "class E(Exception): pass\nraise E('told')").result()
    assert sibling.submit(os.getpid).result() != os.getpid()


ODD = """
import sys, types
sys.modules["odd"] = types.ModuleType("odd")
sys.modules["odd"].Kind = type("Kind", (), {"__module__": "odd", "rest": 7})
"""


def test_after_an_answer_that_is_not_understood_all_is_done_here(
    sibling: Sibling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "odd", types.ModuleType("odd"))
    sibling.submit(exec, ODD).result()  # a class that only the sibling has
    made = sibling.submit(eval, "[getattr(__import__('odd'), 'Kind', int)() for _ in range(3)]").result()
    assert made == [0, 0, 0]
    assert sibling.submit(os.getpid).result() == os.getpid()


def test_here_is_the_same_without_a_process() -> None:
    with Here() as here:
        assert here.submit(os.getpid).result() == os.getpid()
        with pytest.raises(ZeroDivisionError):
            here.submit(divmod, 1, 0).result()


# --- modules -----------------------------------------------------------------------------------------------

LOADED = "[name in __import__('sys').modules for name in ('pydicom.filereader', 'numpy')]"


def test_pydicom_is_loaded_beforehand_and_numpy_is_not_but_can_be() -> None:
    with Sibling(["pydicom.filereader"], ["numpy"]) as sibling:
        assert sibling.submit(eval, LOADED).result() == [True, False]
        assert sibling.submit(eval, "__import__('numpy').arange(3).tolist()").result() == [0, 1, 2]


def test_modules_are_found_where_the_main_process_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("NUMBER = 7\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "pickle.py").write_text("raise SystemExit\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path / "elsewhere")  # which is no place to load from
    with Sibling(["only_here"]) as sibling:
        assert sibling.submit(eval, "__import__('only_here').NUMBER").result() == 7
        assert sibling.submit(os.getpid).result() != os.getpid()


@POSIX
def test_the_words_that_it_is_called_with_tell_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other users see them. Who runs the program within an export has its folder in the path."""
    monkeypatch.syspath_prepend(tmp_path / "DOE_JANE")
    with Sibling() as sibling:
        there = sibling.submit(os.getpid).result()
        words = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", str(there)], capture_output=True, check=True
        )
        assert "sibling" in words.stdout.decode()
        assert "DOE_JANE" not in words.stdout.decode()
        assert "DOE_JANE" in sibling.submit(eval, "__import__('sys').path[0]").result()


ENCODING = """
from rttqa_build.sibling import Sibling
with Sibling() as sibling:
    print(sibling.submit(eval, "__import__('sys').flags.utf8_mode").result())
"""


@pytest.mark.parametrize("mode", ["0", "1"])
def test_names_of_files_are_read_alike(mode: str) -> None:
    words = [sys.executable, "-X", f"utf8={mode}", "-c", ENCODING]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == mode


# --- what may become of it ---------------------------------------------------------------------------------


def test_what_a_killed_process_was_to_do_is_done_here(sibling: Sibling) -> None:
    there = sibling.submit(os.getpid).result()
    os.kill(there, signal.SIGTERM)
    assert gone(there)
    assert sibling.submit(os.getpid).result() == os.getpid()
    assert sibling.submit(len, "abc").result() == 3


def test_a_process_that_dies_at_work_is_not_missed(sibling: Sibling) -> None:
    there = sibling.submit(os.getpid).result()
    pending = sibling.submit(time.sleep, 0.5)
    threading.Timer(0.1, os.kill, (there, signal.SIGTERM)).start()
    assert pending.result() is None
    assert sibling.submit(os.getpid).result() == os.getpid()


def test_an_answer_that_cannot_be_sent_is_found_here(sibling: Sibling) -> None:
    assert sibling.submit(eval, "lambda: 7").result()() == 7


@pytest.mark.parametrize("executable", ["", "/nowhere/python", None])
def test_without_a_process_all_is_done_here(executable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with Sibling(["pydicom.filereader"]) as sibling:
        assert sibling.submit(os.getpid).result() == os.getpid()


def test_a_module_that_cannot_be_loaded_there_stops_nothing() -> None:
    with Sibling(["no_such_module"]) as sibling:
        assert sibling.submit(os.getpid).result() == os.getpid()


def test_it_has_ended_when_it_is_left() -> None:
    with Sibling() as sibling:
        there = sibling.submit(os.getpid).result()
    assert not alive(there)


def test_an_error_leaves_it_at_once() -> None:
    start = time.monotonic()
    with contextlib.suppress(KeyError), Sibling() as sibling:
        there = sibling.submit(os.getpid).result()
        waiting = sibling.submit(time.sleep, 60)
        raise KeyError
    assert time.monotonic() - start < 20
    assert not alive(there)
    assert waiting.done()


MAIN = """
import os, signal, time
from rttqa_build.sibling import Sibling
sibling = Sibling()
print(sibling.submit(os.getpid).result(), flush=True)
sibling.submit(time.sleep, {work})
time.sleep(60)
"""


@POSIX
def test_it_ends_with_a_main_process_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", MAIN.format(work=0.5)], stdout=subprocess.PIPE) as main:
        assert main.stdout is not None
        there = int(main.stdout.readline())
        assert alive(there)
        main.kill()
    assert gone(there)


@POSIX
def test_it_does_not_hear_ctrl_c(sibling: Sibling) -> None:
    there = sibling.submit(os.getpid).result()
    assert os.getpgid(there) != os.getpgid(0)
    assert os.getsid(there) != os.getsid(0)


def test_it_begins_when_it_is_asked_for_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hand-over that stops at the gate needs no second process."""
    begun: list[object] = []
    popen = subprocess.Popen

    def noted(*arguments: Any, **options: Any) -> Any:
        begun.append(arguments)
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", noted)
    with Sibling():
        pass
    assert begun == []
    with Sibling() as sibling:
        assert [sibling.submit(len, "abc").result() for _ in range(2)] == [3, 3]
        assert sibling.begin() is sibling
        assert len(begun) == 1
    with Sibling().begin():
        assert len(begun) == 2


def test_what_has_ended_does_not_begin_again() -> None:
    with Sibling() as sibling:
        pass
    sibling.begin()
    assert sibling._process is None
