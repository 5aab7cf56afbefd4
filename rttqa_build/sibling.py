"""A second process of this program, as an :class:`~concurrent.futures.Executor` with one worker.

Python runs one thread at a time. Work that is all Python (headers by pydicom, templates) and that the main
process waits for goes to its sibling, so that two cores have something to do. Requests and answers are
pickles in two pipes which only these two processes have. The sibling ends with its input, so also when the
main process is killed; it does not hear Ctrl-C. Where it cannot be started, has died or fails, the main
process does the work itself: a sibling makes a run shorter, never different.

``concurrent.futures.ProcessPoolExecutor`` does the same, but takes a tenth of a second until it is ready, and
loads the whole command line anew.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")

# How it is to begin comes by its input: other users see the words a process is called with, and the path may
# hold a folder that is named after a patient.
_PROGRAM = """\
import gc, pickle, sys
threshold, sys.path[:], *work = pickle.load(sys.stdin.buffer)
gc.set_threshold(*threshold)
from rttqa_build.sibling import serve
serve(*work)
"""
# away from the terminal, whose Ctrl-C is for the main process
_APART: dict[str, Any] = {"start_new_session": True}
if sys.platform == "win32":
    _APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}


class Here(Executor):
    """An executor that does the work at once, where it is asked to."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do the work; return what came of it."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to who asks for the result
            future.set_exception(error)
        return future


class Sibling(Executor):
    """One worker in a process of its own.

    It begins with the first request, or ahead of it. It loads ``modules`` before it looks at any, and as if
    ``without`` were not there: packages that these would load for what is not done here. What is submitted,
    its arguments and its results are pickled: functions of modules, frozen dataclasses. What cannot be
    pickled, and what raises an error there, is done here: the error is the one that there would be without a
    sibling, with the places in the code it passed.
    """

    def __init__(self, modules: Sequence[str] = (), without: Sequence[str] = ()) -> None:
        self._asking = ThreadPoolExecutor(1)
        self._changing = threading.Lock()
        self._begun = self._ended = False
        self._start = partial(_started, modules, without)
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> Self:
        """Start the process now; else the first request does."""
        with self._changing:
            if not (self._begun or self._ended):
                self._begun, self._process = True, self._start()
        return self

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have the work done there, in the order of the requests."""
        return self._asking.submit(self._done, partial(fn, *args, **kwargs))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process: after its work, or at once where nobody waits for that any more."""
        self.shutdown(cancel_futures=kind is not None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the process; with ``cancel_futures``, whatever it is doing."""
        if cancel_futures:
            self._end()
        self._asking.shutdown(wait, cancel_futures=cancel_futures)
        self._end()

    def _done(self, work: Callable[[], T]) -> T:
        try:
            request = pickle.dumps(work)
        except Exception:  # noqa: BLE001 - pickling raises whatever it likes
            return work()
        try:
            succeeded, result = self._asked(request)
        except Exception:  # what is left of an answer may be read as anything
            if self._ended:
                raise
            self._abandon()
            return work()
        return cast("T", result) if succeeded else work()

    def _asked(self, request: bytes) -> tuple[bool, Any]:
        self.begin()
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise EOFError
        self._process.stdin.write(request)
        self._process.stdin.flush()
        return cast("tuple[bool, Any]", pickle.load(self._process.stdout))  # noqa: S301 - by a pipe of ours

    def _abandon(self) -> None:
        """Expect no more of it: what follows in the pipe may belong to an answer that was not understood."""
        if self._process is not None:
            self._process.kill()

    def _end(self) -> None:
        with self._changing:
            self._ended = True
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # of what was still to be written
                    pipe.close()


def _started(modules: Sequence[str], without: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """Return the process; None where the system does not let it be started."""
    if not sys.executable:
        return None
    try:
        process = subprocess.Popen(  # noqa: S603 - this program, by this interpreter
            [sys.executable, "-P", "-X", f"utf8={sys.flags.utf8_mode}", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **_APART,
        )
    except OSError:
        return None
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it has died already: who asks it for something will see
            pickle.dump((gc.get_threshold(), sys.path, [*modules], [*without]), process.stdin)
            process.stdin.flush()
    return process


def serve(modules: Sequence[str], without: Sequence[str]) -> None:
    """Be the sibling: answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries may print is no answer
    hidden: dict[str, Any] = dict.fromkeys(without)  # None stands for a module that is not there
    sys.modules.update(hidden)
    for module in modules:
        importlib.import_module(module)
    for name in without:
        del sys.modules[name]
    while True:
        try:
            work = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process, by a pipe of ours
        except EOFError:
            return
        try:
            answer = True, work()
        except Exception:  # noqa: BLE001 - who asked meets it again in doing the work
            answer = False, None
        pickle.dump(answer, answers)
        answers.flush()
