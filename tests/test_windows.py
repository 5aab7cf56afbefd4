"""Windows' manners, as far as they can be tried elsewhere: names, paths, files that others hold."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from rttqa_build import disk
from rttqa_build.centre.places import is_synced
from rttqa_build.cli.drafting import below
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.settings import expand
from rttqa_build.source import canonical, parse
from rttqa_build.trial.consistency import path_fault


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("EP-0123", True),
        ("console", True),
        ("com", True),
        ("COM10", True),
        ("a.con", True),
        ("Prostate 2", True),
        ("CON", False),
        ("nul", False),
        ("Aux.yaml", False),
        ("com1.2026", False),
        ("LPT9", False),
        ("con .txt", False),
        ("EP-0123.", False),
        ("EP-0123 ", False),
        ("a:b", False),
        ("a\\b", False),
        ("what?", False),
    ],
)
def test_names_that_every_system_takes(name: str, *, portable: bool) -> None:
    assert disk.is_portable(name) is portable
    assert bool(path_fault(f"MR/{name}/x")) is not portable


@pytest.mark.parametrize(
    ("root", "place", "told"),
    [
        (r"D:\rttqa\exports", r"d:\RTTQA\Exports\EP-0123", "EP-0123"),
        (r"D:\rttqa\exports", r"D:\rttqa\exports\2026\EP-0123", "2026/EP-0123"),
        (r"\\server\share\exports", r"\\SERVER\Share\exports\EP-0123", "EP-0123"),
        (r"\\?\D:\exports", r"\\?\D:\exports\EP-0123", "EP-0123"),
        (r"\\?\UNC\server\share", r"\\?\UNC\server\share\EP-0123", "EP-0123"),
        (r"D:\rttqa\exports", r"D:\rttqa\exports2\EP-0123", None),
        (r"D:\rttqa\exports", r"E:\rttqa\exports\EP-0123", None),
        (r"\\server\share", r"\\other\share\EP-0123", None),
        (r"D:\rttqa\exports", r"D:\rttqa\exports", None),
    ],
)
def test_the_source_is_named_below_data_root(root: str, place: str, told: str | None) -> None:
    if told is None:
        with pytest.raises(UsageError):
            below(PureWindowsPath(root), PureWindowsPath(place))
    else:
        assert below(PureWindowsPath(root), PureWindowsPath(place)) == told


@pytest.mark.parametrize(
    ("path", "synced"),
    [
        (PureWindowsPath(r"C:\Users\me\OneDrive - Example Trust\keys"), True),
        (PureWindowsPath(r"C:\Users\me\ONEDRIVE\exports"), True),
        (PureWindowsPath(r"\\server\share\Dropbox\x"), True),
        (PureWindowsPath(r"D:\rttqa\exports"), False),
        (PureWindowsPath(r"\\onedriveserver\share\x"), False),
        (PurePosixPath("/home/me/Nextcloud/x"), True),
    ],
)
def test_cloud_folders(path: PureWindowsPath | PurePosixPath, *, synced: bool) -> None:
    assert is_synced(path) is synced


def test_paths_of_windows_in_the_settings() -> None:
    document, found = parse(b"data_root: D:\\rttqa\\exports\nother: '\\\\server\\share\\x'\n", "rttqa.yaml")
    assert document is not None
    assert found == ()
    assert document.data == {"data_root": r"D:\rttqa\exports", "other": r"\\server\share\x"}
    assert expand("${RTTQA_DATA}", {"RTTQA_DATA": r"\\server\share\new"}) == r"\\server\share\new"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_endings_change_no_digest(mark: bytes) -> None:
    text = b"clinical:\n  history: |\n    one\n    two\nsource: EP-1\n"
    documents = [parse(data, "m.yaml")[0] for data in (text, mark + text.replace(b"\n", b"\r\n"))]
    assert documents[0] is not None
    assert documents[1] is not None
    assert canonical(documents[0].data) == canonical(documents[1].data)


def test_a_file_that_is_held_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As virus scanners do: Windows refuses to rename over it, so that is tried again."""
    target = tmp_path / "lock.yaml"
    target.write_bytes(b"old")
    rename, refused = Path.replace, []

    def held(source: Path, wanted: Path) -> Path:
        refused.append(source)
        if len(refused) < limit:
            raise PermissionError(13, "held")
        return rename(source, wanted)

    monkeypatch.setattr(disk, "_PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(Path, "replace", held)
    limit = 3
    disk.write(target, b"new")
    assert (target.read_bytes(), len(refused)) == (b"new", 3)
    limit = 99
    with pytest.raises(RttqaError, match=r"lock\.yaml: access was denied") as caught:
        disk.write(target, b"newer")
    assert "no other program has it open" in caught.value.hint
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]
