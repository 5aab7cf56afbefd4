"""Jinja templates, sandboxed: the shipped ones and those a trial brings.

A trial's template is data that a person reviewed, not code to be trusted: it sees the values it is given
and nothing else, an unknown name is an error, and whatever it prints goes through ``finalize``. There is
no ``safe`` filter and nothing random.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, Location, finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from jinja2.sandbox import SandboxedEnvironment

_WITHOUT = ("safe", "random")
_WITHOUT_GLOBALS = ("lipsum",)


def shipped(name: str) -> str:
    """Return a template or asset of the package."""
    return (files("rttqa_build") / "data" / "templates" / name).read_text("utf-8")


def environment(
    finalize: Callable[[object], object] | None = None, *, autoescape: bool = False
) -> SandboxedEnvironment:
    """Return a sandboxed environment in which an unknown name is an error."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    env = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in _WITHOUT:
        del env.filters[name]
    for name in _WITHOUT_GLOBALS:
        del env.globals[name]
    return env


def fill(
    env: SandboxedEnvironment, name: str, replaced: Mapping[str, bytes], values: Mapping[str, object]
) -> str | Diagnostic:
    """Return the filled template, the trial's where it brings one, or K201 for a faulty one of the trial's.

    A fault in a shipped template is ours and is raised.
    """
    if name not in replaced:
        return env.from_string(shipped(name)).render(values)
    try:
        return env.from_string(replaced[name].decode("utf-8")).render(values)
    except Exception as error:  # noqa: BLE001 - a template is a program: it may raise anything
        return template_fault("K201", "cannot be filled in", name, error, _line(error))


def template_fault(code: str, what: str, name: str, detail: object, line: int = 0) -> Diagnostic:
    """Return a finding about a trial's template; ``detail`` may quote values, so it stays local."""
    return finding(
        code, f"The trial's template {name} {what}.", Location(name, line), local=str(detail), subject=name
    )


def _line(error: Exception) -> int:
    """Return the template's line: Jinja gives it to syntax errors, and fakes it into tracebacks of others."""
    line = getattr(error, "lineno", None) or 0
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == "<template>":
            line = frame.tb_lineno
        frame = frame.tb_next
    return int(line)
