"""Archives on the path of a Python worker: read again if they have changed, and only then."""

import importlib
import sys
import zipfile
import zipimport

import pytest
from stackmill._archives import read_once


@pytest.fixture
def archive(tmp_path, monkeypatch):
    path = tmp_path / "shipped.zip"
    write(path, "archived_first")
    monkeypatch.setattr(sys, "path", [str(path), *sys.path])
    yield path
    for name in ("archived_first", "archived_second"):
        sys.modules.pop(name, None)
    sys.path_importer_cache.pop(str(path), None)


def write(path, *names):
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(f"{name}.py", f"name = {name!r}\n")


def test_an_unchanged_archive_is_not_read_again(archive, monkeypatch):
    importlib.import_module("archived_first")
    read = []
    invalidate = zipimport.zipimporter.invalidate_caches
    monkeypatch.setattr(
        zipimport.zipimporter, "invalidate_caches", lambda finder: read.append(finder.archive) or invalidate(finder)
    )
    importlib.invalidate_caches()
    assert str(archive) in read, "because this is what is to be spared"
    read.clear()
    read_once()
    read_once()
    importlib.invalidate_caches()
    assert str(archive) not in read
    write(archive, "archived_first", "archived_second")
    importlib.invalidate_caches()
    importlib.invalidate_caches()
    assert read.count(str(archive)) == 1


def test_a_changed_archive_gives_what_is_new(archive):
    importlib.import_module("archived_first")
    read_once()
    write(archive, "archived_first", "archived_second")
    importlib.invalidate_caches()
    assert importlib.import_module("archived_second").name == "archived_second"


def test_an_archive_that_is_gone_is_no_error(archive):
    importlib.import_module("archived_first")
    read_once()
    archive.unlink()
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("archived_second")
