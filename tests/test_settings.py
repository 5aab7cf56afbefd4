"""Centre settings: what they say, what is refused, references to the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rttqa_build.diagnostic import UsageError
from rttqa_build.settings import PortalSettings, Settings, expand, find_root, load

if TYPE_CHECKING:
    from pathlib import Path

FULL = r"""
settings: 1
centre:
  code: RXX
  name: Example Cancer Centre
  contact: {name: Radiotherapy Physics, email: rt.physics@example.org}
data_root: ${RTTQA_DATA}
key_file: ${RTTQA_KEY_FILE}
key_fingerprint: null
key_access: owner
build_dir: build
portal: {kind: nextcloud, link: "${RTTQA_PORTAL_LINK}", ca_file: null, max_bytes: null}
email: {smtp: {host: smtp.example.org, port: 587, starttls: true, sender: rt.physics@example.org}}
identifiers: [{name: hospital number, pattern: '\b[A-Z]\d{6}\b'}]
gate: {approvals: 1, branch: null}
allowed_remotes: []
accept_unofficial: []
"""


def read(folder: Path, text: str) -> tuple[Settings | None, list[str]]:
    (folder / "rttqa.yaml").write_text(text, "utf-8")
    settings, found = load(folder)
    return settings, [f"{d.where.line}:{d.where.column} {d.code}" for d in found]


def test_everything_the_contract_lists(tmp_path: Path) -> None:
    settings, found = read(tmp_path, FULL)
    assert found == []
    assert settings is not None
    assert settings.root == tmp_path
    assert settings.centre.code == "RXX"
    assert settings.data_root == "${RTTQA_DATA}"
    assert settings.portal == PortalSettings("nextcloud", link="${RTTQA_PORTAL_LINK}")
    assert settings.smtp is not None
    assert settings.smtp.port == 587
    assert settings.identifiers[0].pattern == r"\b[A-Z]\d{6}\b"
    assert (settings.gate.approvals, settings.gate.branch) == (1, "")


def smallest(**changes: str) -> str:
    fields = {
        "settings": "1",
        "centre": "{code: RXX, name: X, contact: {name: X, email: x@example.org}}",
        "data_root": "/data",
        "key_file": "/key",
        **changes,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def test_the_smallest(tmp_path: Path) -> None:
    settings, found = read(tmp_path, smallest(portal="{kind: folder, path: outbox}"))
    assert found == []
    assert settings is not None
    assert settings.portal == PortalSettings("folder", path="outbox")
    assert (settings.build_dir, settings.key_access, settings.gate.approvals) == ("build", "owner", None)
    assert settings.allow_synced_folders is False


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"settings": "2"}, ["1:11 M104"]),
        ({"data_rot": "x"}, ["5:1 M101"]),
        ({"portal": "{kind: nextcluod, link: x}"}, ["5:16 M104"]),
        ({"portal": "{kind: folder, path: '${HOME}/x'}"}, ["5:30 M301"]),
        ({"data_root": "${RTTQA_PORTAL_PASSWORD}"}, ["3:12 M301"]),
        ({"data_root": "${RTTQA_DATA"}, ["3:12 M301"]),
        (
            {"centre": "{code: RXX, name: '${RTTQA_X}', contact: {name: X, email: x@example.org}}"},
            ["2:27 M301"],
        ),
        ({"identifiers": "[{name: n, pattern: '(['}]"}, ["5:34 M302"]),
        ({"gate": "{approvals: 3}"}, ["5:19 M106"]),
        (
            {"accept_unofficial": "[{trial: t, digest: abc, by: x, checked_with: y, date: 2026-01-01}]"},
            ["5:40 M105"],
        ),
        ({"centre": "TODO"}, ["2:9 M201"]),
    ],
)
def test_findings(tmp_path: Path, changes: dict[str, str], expected: list[str]) -> None:
    assert read(tmp_path, smallest(**changes)) == (None, expected)


def test_missing_and_unreadable(tmp_path: Path) -> None:
    assert [d.code for d in load(tmp_path)[1]] == ["M303"]
    assert read(tmp_path, "a:\n\tb: 1\n") == (None, ["2:1 M005"])


def test_a_pattern_is_no_reference_to_the_environment(tmp_path: Path) -> None:
    assert read(tmp_path, smallest(identifiers=r"[{name: n, pattern: '(A|B${1})'}]"))[1] == []


def test_subset_digest_covers_centre_and_identifiers_only(tmp_path: Path) -> None:
    digests = []
    for text in (
        smallest(),
        smallest(build_dir="elsewhere", data_root="/other"),
        "# comment\r\n" + smallest(),
        smallest(identifiers="[{name: n, pattern: x}]"),
        smallest(centre="{code: RYY, name: X, contact: {name: X, email: x@example.org}}"),
    ):
        settings, _ = read(tmp_path, text)
        assert settings is not None
        digests.append(settings.subset_digest)
    assert digests[0] == digests[1] == digests[2]
    assert len(set(digests)) == 3


def test_expand() -> None:
    environ = {"RTTQA_DATA": "/data", "RTTQA_EMPTY": "", "RTTQA_SMTP_PASSWORD": "secret", "HOME": "/home/x"}
    assert expand("${RTTQA_DATA}/exports", environ) == "/data/exports"
    assert expand("/plain/$x", environ) == "/plain/$x"
    for value in ("${RTTQA_UNSET}", "${RTTQA_EMPTY}", "${RTTQA_SMTP_PASSWORD}", "${HOME}", "${RTTQA_DATA"):
        with pytest.raises(UsageError) as caught:
            expand(value, environ)
        assert caught.value.hint
        assert "secret" not in str(caught.value)


def test_find_root(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "submissions" / "EP-0123"
    inner.mkdir(parents=True)
    assert find_root(inner) is None
    (tmp_path / "repository" / "rttqa.yaml").write_text(smallest(), "utf-8")
    assert find_root(inner) == tmp_path / "repository"
    assert find_root(tmp_path / "repository") == tmp_path / "repository"
