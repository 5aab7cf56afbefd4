"""What can go wrong on the way to a Nextcloud portal, as cases that can be run: a table of docs/portal.md.

A case is arranged (switches of the double, a proxy that harms, a patch, a kill), ``submit`` runs, the fault
is taken away, ``submit`` runs again. A row says what came of it.
"""

from __future__ import annotations

import re
import signal
import socket
import ssl
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar
from unittest.mock import patch

import fault_proxy
from cli_centre import NAME
from fault_proxy import Fault
from nextcloud_double import TOKEN

from rttqa_build import disk
from rttqa_build.cli import portals
from rttqa_build.diagnostic import RttqaError
from rttqa_build.portal import proxy, wire
from rttqa_build.records.receipt import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cli_centre import Centre, Ran
    from nextcloud_double import Front
    from portal_centre import Wired

    from rttqa_build.records.receipt import Receipt

QUICK = wire.Timeouts(2.0, 2.0, 2.0, 2.0)
REASON = ("--reason", "asked the trial team")
THROTTLED = "OCP\\Security\\Bruteforce\\MaxDelayReached"


class File(Protocol):
    """A file at a portal."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...


class Holder(Protocol):
    """What holds the files that were handed over."""

    @property
    def files(self) -> Sequence[File]: ...
    def wait(self, seconds: float) -> None: ...


class Joined(Protocol):
    """A centre, and the portal that it hands over to."""

    @property
    def centre(self) -> Centre: ...
    @property
    def server(self) -> Holder: ...
    @property
    def environ(self) -> dict[str, str]: ...
    @property
    def receipt(self) -> Receipt: ...
    @property
    def known(self) -> Path: ...
    def submit(self, *arguments: str, **environ: str) -> Ran: ...


class AnyBench(Protocol):
    """What every case is run with."""

    @property
    def wired(self) -> Joined: ...


B = TypeVar("B", bound=AnyBench)


class Bench(NamedTuple):
    """What a case is run with: the centre and its double; a double that speaks TLS, its certificates."""

    wired: Wired
    secure: Front
    ca_file: Path
    size: int


Setting = dict[str, str]


@dataclass(frozen=True)
class Case(Generic[B]):
    """One fault.

    ``within`` holds it up while the first ``submit`` runs, and gives what it adds to the environment;
    ``killed`` is code that makes the program kill itself; it then runs as a process of its own.
    """

    title: str
    within: Callable[[B], AbstractContextManager[Setting]] = lambda _: nullcontext({})
    killed: str = ""


class Row(NamedTuple):
    """A row of the table, and what is wrong with it, if anything."""

    title: str
    seen: str
    held: str
    recorded: str
    next: str
    faults: tuple[str, ...]


# --- arranging ---------------------------------------------------------------------------------------------


def switched(**switches: object) -> Callable[[Bench], AbstractContextManager[Setting]]:
    """Return what sets switches of the double."""

    @contextmanager
    def within(bench: Bench) -> Iterator[Setting]:
        server = bench.wired.server
        before = server.switches
        server.switches = replace(before, **switches)  # type: ignore[arg-type] # by name
        yield {}
        server.switches = before

    return within


def answered(status: int, times: int = 9, words: str = "scripted", *, stores: bool = False) -> Case[Bench]:
    """Return the case of an answer to the upload."""
    often = {1: "once", 9: "always"}[times]
    stored = ", having stored it" if stores else ""
    told = ", out of turn" if words == THROTTLED else ""
    title = f"the upload is answered by {status}{told}{stored}, {often}"
    return Case(title, switched(statuses=[status] * times, words=words, stores=stores))


def harmed(fault: Callable[[int], Fault]) -> Callable[[Bench], AbstractContextManager[Setting]]:
    """Return what puts a harmful proxy in the way; ``fault`` is made from the size of the package."""

    @contextmanager
    def within(bench: Bench) -> Iterator[Setting]:
        with little_in_flight(), fault_proxy.before(bench.wired.port, fault(bench.size)) as port:
            yield {"RTTQA_PORTAL_LINK": f"http://127.0.0.1:{port}/s/{TOKEN}"}

    return within


@contextmanager
def little_in_flight() -> Iterator[None]:
    """Keep the system's buffers small, so that a cut connection is noticed where it is cut."""
    connect = socket.create_connection

    def connected(*arguments: object, **named: object) -> socket.socket:
        made: socket.socket = connect(*arguments, **named)  # type: ignore[arg-type] # as it was called
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 13)
        return made

    with patch.object(socket, "create_connection", connected):
        yield


def linked(link: Callable[[Bench], str]) -> Callable[[Bench], AbstractContextManager[Setting]]:
    """Return what gives the settings another link."""
    return lambda bench: nullcontext({"RTTQA_PORTAL_LINK": link(bench)})


@contextmanager
def name_unknown(_: Bench) -> Iterator[Setting]:
    """Have the network know no names."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    with patch.object(socket, "getaddrinfo", unknown):
        yield {}


@contextmanager
def over_tls(bench: Bench, ca_file: Path | None, host: str = "127.0.0.1") -> Iterator[Setting]:
    """Speak to the double that has a certificate."""
    bench.secure.behind = bench.wired.server
    create = ssl.create_default_context

    def context() -> ssl.SSLContext:
        made = create()
        if ca_file is not None:
            made.load_verify_locations(ca_file)
        return made

    with patch.object(ssl, "create_default_context", context):
        yield {"RTTQA_PORTAL_LINK": f"https://{host}:{bench.secure.port}/s/{TOKEN}"}


@contextmanager
def through_proxy(bench: Bench, refusal: str | None) -> Iterator[Setting]:
    """Have a proxy in between, for loopback too."""
    with ExitStack() as stack:
        setting = stack.enter_context(over_tls(bench, bench.ca_file))
        stack.enter_context(patch.object(proxy, "loopback", lambda _: False))
        port, _ = stack.enter_context(fault_proxy.tunnel(bench.secure.port, refusal))
        yield {**setting, "HTTPS_PROXY": f"http://127.0.0.1:{port}"}


def full_disk(name: str, number: int) -> Callable[[AnyBench], AbstractContextManager[Setting]]:
    """Return what fills the disk when a file of some name is written for the n-th time, and from then on."""

    @contextmanager
    def within(_: AnyBench) -> Iterator[Setting]:
        write, count = disk.write, [0]

        def full(path: Path, data: bytes) -> None:
            count[0] += path.name == name
            if count[0] >= number:
                raise RttqaError(f"{path.name}: the disk is full", "free some space")
            write(path, data)

        with patch.object(disk, "write", full):
            yield {}

    return within


@contextmanager
def _both(one: AbstractContextManager[Setting], other: AbstractContextManager[Setting]) -> Iterator[Setting]:
    with one as first, other as second:
        yield {**first, **second}


@contextmanager
def stopped_in_mid_upload(_: Bench) -> Iterator[Setting]:
    """Press Ctrl-C after the first piece."""
    read = wire._read

    def stop(upload: wire.Upload, done: int) -> bytes:
        if done:
            raise KeyboardInterrupt
        return read(upload, done)

    with patch.object(wire, "_read", stop), patch.object(wire, "_BLOCK", 1 << 12):
        yield {}


@contextmanager
def stopped_while_waiting(_: Bench) -> Iterator[Setting]:
    """Press Ctrl-C while the answer to the upload is awaited."""
    with patch.object(wire, "_answer", patched_answer(wire._answer)):
        yield {}


@contextmanager
def stopped_between_tries(bench: Bench) -> Iterator[Setting]:
    """Press Ctrl-C while another try is waited for, when the first may have left a copy."""

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with switched(statuses=[502], stores=True)(bench), patch("rttqa_build.cli.portals.time.sleep", stop):
        yield {}


def patched_answer(inner: Callable[..., object]) -> Callable[..., object]:
    """Return what interrupts the third answer, that to the upload."""
    calls: list[int] = []

    def answer(connection: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return inner(connection)

    return answer


# Each stops the program for good at one place.
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def killed(title: str, module: str, name: str, *, after: int = 0, later: bool = False) -> Case[Any]:
    """Return the case of a program killed at, or right after, one of the calls of a function."""
    code = f"""
import rttqa_build.{module} as module
inner, calls = module.{name}, []
def stopping(*a, **k):
    calls.append(1)
    if len(calls) > {after} and not {later}:
        {KILL}
    made = inner(*a, **k)
    {KILL if later else ""}
    return made
module.{name} = stopping
"""
    return Case(f"killed {title}", killed=code)


MID_UPLOAD = """
from rttqa_build.portal import wire
wire._BLOCK = 1 << 12
inner = wire._read
def read(upload, done):
    if done > 20000:
        {kill}
    return inner(upload, done)
wire._read = read
"""
AFTER_LAST_BYTE = """
from rttqa_build.portal import wire
inner = wire._sent
def sent(*a):
    made = inner(*a)
    {kill}
    return made
wire._sent = sent
"""
RENAMING = """
import pathlib
inner, calls = pathlib.Path.replace, []
def replace(self, target):
    if str(target).endswith("receipt.yaml"):
        calls.append(1)
        if len(calls) == {number}:
            {kill}
    return inner(self, target)
pathlib.Path.replace = replace
"""
BETWEEN_TRIES = """
from rttqa_build.cli import portals
def pause(*a):
    {kill}
portals.Connection.pause = pause
"""

CASES: tuple[Case[Bench], ...] = (
    Case("nothing: the way it should be"),
    # what the preflight meets
    Case("wrong password", lambda _: nullcontext({"RTTQA_PORTAL_PASSWORD": "wrong"})),
    Case("no password", lambda _: nullcontext({"RTTQA_PORTAL_PASSWORD": ""})),
    Case("the link has expired, or was deleted", switched(expired=True)),
    Case("the portal has shut the hospital out (new endpoint: 503)", switched(throttled=True)),
    Case("the same (old endpoint: 500)", switched(throttled=True, version="28.0.14")),
    Case("the portal is in maintenance", switched(maintenance=True)),
    Case("everybody with the link can read the share (207)", switched(readable=True)),
    Case("the portal answers with a redirect", switched(redirect="https://elsewhere.example.org/")),
    Case("the link's path is wrong", linked(lambda b: f"http://127.0.0.1:{b.wired.port}/cloud/s/{TOKEN}")),
    Case(
        "the link is for an unencrypted connection", linked(lambda _: f"http://portal.example.org/s/{TOKEN}")
    ),
    Case("the host is not trusted", linked(lambda _: f"https://portal.example.org/s/{TOKEN}")),
    Case("the portal hides its version", switched(hidden=True)),
    Case("an old portal, version 28", switched(version="28.0.14")),
    Case("an old portal that hides its version", switched(version="28.0.14", hidden=True)),
    Case("a new portal, version 33", switched(version="33.0.1")),
    Case("the portal's name is not known", name_unknown),
    Case("nothing listens at the portal's address", linked(lambda _: f"http://127.0.0.1:9/s/{TOKEN}")),
    # TLS and proxies
    Case("TLS, a certificate that is trusted", lambda b: over_tls(b, b.ca_file)),
    Case("TLS, a certificate of an unknown authority", lambda b: over_tls(b, None)),
    Case("TLS, a certificate for another host", lambda b: over_tls(b, b.ca_file, "localhost")),
    Case("TLS, a server that speaks none", linked(lambda b: f"https://127.0.0.1:{b.wired.port}/s/{TOKEN}")),
    Case("through a proxy", lambda b: through_proxy(b, None)),
    Case("the proxy wants a login (407)", lambda b: through_proxy(b, "407 Proxy Authentication Required")),
    Case("the proxy hangs up", lambda b: through_proxy(b, "")),
    # answers to the upload
    *(answered(status) for status in (302, 400, 401, 403, 404, 405, 409, 412, 415, 429)),
    Case("the package is larger than the web server takes (413)", switched(limit=1000)),
    Case("the portal's quota is used up (507)", switched(quota=1000)),
    answered(423, 1),
    answered(423),
    answered(500),
    answered(500, 1, stores=True),
    answered(503, words=THROTTLED),
    answered(502, 1),
    answered(502, 1, stores=True),
    answered(502, stores=True),
    Case(
        "the upload is answered by 502, having stored it, then the quota is used up (507)",
        switched(statuses=[502, 507], stores=True),
    ),
    Case("the same, and Ctrl-C in the pause between them", stopped_between_tries),
    answered(503, 1),
    answered(503),
    answered(504, 1, stores=True),
    # what the answer proves
    Case("201 without an echo", switched(echo="none")),
    Case("201 with another SHA-256, always", switched(echo="wrong")),
    Case("201 for a file of 0 bytes, always", switched(empty=True)),
    # the connection
    Case("cut before the first byte, once", harmed(lambda _: Fault(cut=0, times=1))),
    Case("cut after 1 byte, once", harmed(lambda _: Fault(cut=1, times=1))),
    Case("cut after half, once", harmed(lambda size: Fault(cut=size // 2, times=1))),
    Case("cut after half, always", harmed(lambda size: Fault(cut=size // 2))),
    Case("cut after all bytes but one", harmed(lambda size: Fault(cut=size - 1))),
    Case("cut after all bytes", harmed(lambda size: Fault(cut=size))),
    Case("the reply is lost", harmed(lambda _: Fault(swallow=True))),
    Case("nobody answers (half-open connection)", harmed(lambda _: Fault(silent=True))),
    Case("a slow network", harmed(lambda _: Fault(pause=0.002))),
    # this computer
    Case("the disk is full when the attempt is noted", full_disk("receipt.yaml", 1)),
    Case("the disk is full when the outcome is noted", full_disk("receipt.yaml", 2)),
    Case(
        "the same, after the portal took nothing (507)",
        lambda bench: _both(switched(quota=1000)(bench), full_disk("receipt.yaml", 2)(bench)),
    ),
    Case("the disk is full when the email is drafted", full_disk("email.eml", 1)),
    Case("Ctrl-C in mid-upload", stopped_in_mid_upload),
    Case("Ctrl-C while the answer is awaited", stopped_while_waiting),
    killed("before the preflight", "cli.submitting", "preflight"),
    killed("while the package is rebuilt", "stages.packing", "compress", after=3),
    killed("when the package is verified", "submit.pipeline", "_verified"),
    Case("killed while the attempt is noted", killed=RENAMING.format(number=1, kill=KILL)),
    killed("when the attempt is noted, but not yet beside the key", "records.ledger", "write", later=True),
    killed("when the attempt is noted, before the upload", "portal.wire", "send"),
    Case("killed in mid-upload", killed=MID_UPLOAD.format(kill=KILL)),
    Case("killed after the last byte, before the answer", killed=AFTER_LAST_BYTE.format(kill=KILL)),
    killed("after the answer, before the outcome is noted", "portal.wire", "send", later=True),
    Case("killed while the outcome is noted", killed=RENAMING.format(number=2, kill=KILL)),
    Case("killed between two tries (423)", switched(statuses=[423]), BETWEEN_TRIES.format(kill=KILL)),
    killed("when the outcome is noted, before the email", "submit.pipeline", "finish"),
    killed("after the email, before the revision is frozen", "submit.finish", "freeze"),
    killed("when the revision is frozen", "submit.finish", "freeze", later=True),
)


# --- running -----------------------------------------------------------------------------------------------


def run(case: Case[B], bench: B) -> Row:
    """Run a case: submit under the fault, submit without it, once more with a person's word if need be."""
    wired = bench.wired
    with patch.object(portals, "_FIRST_PAUSE", 0.0), patch.object(wire, "PATIENT", QUICK):
        with case.within(bench) as setting:
            first = _first(case, wired, setting)
        wired.server.wait(1.0 if case.killed or first.code == signal.SIGINT + 128 else 0.1)
        seen, held, recorded = _seen(first), _held(bench), _recorded(wired)
        told = [first]
        faults = [*_lies(bench, told)]
        clear_waits(wired)
        told.append(wired.submit())
        after = _seen(told[-1])
        if wired.receipt.undecided:
            word = "--treat-as-received" if whole(bench) else "--resend"
            told.append(wired.submit(word, *REASON))
            after += f" With `{word}`: {_seen(told[-1])}"
        faults += _lies(bench, told)
        if not wired.receipt.received:
            faults.append("never received")
    return Row(case.title, seen, held, recorded, after, tuple(faults))


def _first(case: Case[B], wired: Joined, setting: Setting) -> Ran:
    if not case.killed:
        return wired.submit(**setting)
    ran = wired.centre.altered(case.killed, "submit", **{**wired.environ, **setting})
    assert ran.code == -signal.SIGKILL, (case.title, ran)
    return ran


def clear_waits(wired: Joined) -> None:
    """Let half an hour pass."""
    if wired.known.exists():
        wired.known.unlink()


def whole(bench: AnyBench) -> list[str]:
    """Return the names of the whole copies at the portal."""
    lock = (bench.wired.centre.submission / "lock.yaml").read_text("utf-8")
    return [one.name for one in bench.wired.server.files if one.sha256 in lock]


def _lies(bench: AnyBench, told: list[Ran]) -> Iterator[str]:
    """Yield where the tool says what is not so."""
    kept, copies = bench.wired.receipt, bench.wired.server.files
    by_proof = [one for one in kept.attempts if one.kind is OutcomeKind.VERIFIED]
    if any(one.name not in whole(bench) for one in by_proof):
        yield "reported received, and it is not there"
    if len(copies) > kept.copies:
        yield "more copies at the portal than the receipt admits"
    if copies and not any(one.stored for one in kept.attempts):
        yield "a copy at the portal that the receipt denies"
    if len(copies) > 1 and not any("U035" in ran.told for ran in told):
        yield "two copies, and nobody was told"


_FINDING = re.compile(r"(?:error|warning|info)\[([A-Z]\d{3})\]:? (.*)")


def _seen(ran: Ran) -> str:
    """Return how a run ended in the user's eyes: exit code, findings, the last word."""
    if ran.code == -signal.SIGKILL:
        return "the program is gone."
    lines = f"{ran.err}\n{ran.out}".splitlines()
    told = dict.fromkeys(" ".join(match.groups()) for line in lines if (match := _FINDING.search(line)))
    plain = [line.partition(": ")[2] for line in lines if line.startswith("error: ")]
    stopped = ["interrupted"] if ran.code == 130 else []
    last = [line.partition(": ")[2] for line in lines if line.startswith(f"{NAME}: ")]
    words = "; ".join(_steady(one) for one in (*told, *plain, *stopped, *last))
    return f"exit {ran.code}: {words}."


def _steady(text: str) -> str:
    """Return text without what differs from run to run."""
    text = re.sub(r"(127\.0\.0\.1|localhost):\d+", "HOST", text)
    return re.sub(r"\d+ bytes needed", "N bytes needed", re.sub(r"[\w-]+_[0-9a-f]{12}", "NAME", text))


def _held(bench: AnyBench) -> str:
    copies = len(bench.wired.server.files)
    good = len(whole(bench))
    damaged = copies - good
    parts = [f"{good} whole" if good else "", f"{damaged} damaged" if damaged else ""]
    return ", ".join(part for part in parts if part) or "nothing"


def _recorded(wired: Joined) -> str:
    kinds = [str(one.kind) for one in wired.receipt.attempts]
    runs: list[str] = []
    for kind in dict.fromkeys(kinds):
        count = kinds.count(kind)
        runs.append(f"{count} × {kind}" if count > 1 else kind)
    (state,) = wired.centre.call("status", "--format", "json").json
    return f"{', '.join(runs) or 'no attempt'} (status: {state['state']})"
