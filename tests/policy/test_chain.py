"""Which filters make up the chain, and where the project begins."""

import os
from pathlib import Path

import pytest
from writing import rule, toml

from tamis.errors import PolicyError
from tamis.policy import FILTER_FILES, find_project, framework_of, load_policy

PROJECT = ".codetracer/trace-filter.toml"


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(loaded) -> list[str]:
    return [entry["name"] for entry in loaded.policy.describe()["filters"]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with a project in `work/app`."""
    (tmp_path / "home/work/app/src").mkdir(parents=True)
    return tmp_path / "home"


# files that exist below home, the folder where the search begins, the project root that it finds
ROOTS = [
    ([], "work/app/src", "work/app/src"),
    (["work/app/pyproject.toml"], "work/app/src", "work/app"),
    (["work/app/setup.py"], "work/app/src", "work/app"),
    (["work/app/setup.cfg"], "work/app/src", "work/app"),
    (["work/app/.git/config"], "work/app/src", "work/app"),
    (["work/app/src/pyproject.toml", "work/app/.git"], "work/app/src", "work/app/src"),
    # A filter goes before anything else, however near that is.
    ([f"work/{PROJECT}", "work/app/src/pyproject.toml"], "work/app/src", "work"),
    (["work/.codetracer/trace-filter.cfg", "work/app/src/setup.py"], "work/app/src", "work"),
    ([f"work/{PROJECT}", f"work/app/{PROJECT}"], "work/app/src", "work/app"),
    # The home directory is not a project unless one begins there.
    ([PROJECT, "pyproject.toml"], "work/app/src", "work/app/src"),
    ([PROJECT], "", ""),
    ([f"../{PROJECT}"], "work/app", "work/app"),
]


@pytest.mark.parametrize(("files", "start", "root"), ROOTS)
def test_project_root(home, files, start, root):
    """The nearest folder with a filter, else the nearest that looks like a project, else the start."""
    for file in files:
        put(home / file)
    found, path = find_project(home / start, {"HOME": str(home)})
    assert found == os.path.realpath(home / root)
    assert (path is not None) == any("trace-filter" in file and root in file for file in files if found)


def test_the_start_may_be_spelled_in_any_way(home, tmp_path):
    """A symbolic link to a folder of the project leads to the same root."""
    put(home / "work/app/pyproject.toml")
    (tmp_path / "link").symlink_to(home / "work/app/src")
    assert find_project(tmp_path / "link", {"HOME": str(home)})[0] == os.path.realpath(home / "work/app")


def test_order_of_the_chain(home, monkeypatch):
    """builtin-default, framework, project, environment variable, command line; `::` makes two of one."""
    app = home / "work/app"
    put(app / PROJECT, toml(name="project"))
    for name in "abcde":
        put(app / f"{name}.toml", toml(name=name))
    monkeypatch.chdir(app)
    environ = {"HOME": str(home), "CODETRACER_TRACE_FILTER": "a.toml::b.toml"}
    loaded = load_policy(
        trace_filter=["c.toml::d.toml", Path("e.toml")], start=app, environ=environ, framework="pytest"
    )
    assert names(loaded) == ["builtin-default", "pytest", "project", "a", "b", "c", "d", "e"]
    assert loaded.project_root == os.path.realpath(app)
    assert loaded.found_project_filter
    assert loaded.paths[2] == os.path.realpath(app / PROJECT)
    loaded = load_policy(start=app, auto=False, environ={"HOME": str(home)})
    assert names(loaded) == ["builtin-default"]
    assert not loaded.found_project_filter


def test_of_two_project_filters_the_toml_is_read(home):
    """With a `.toml` and a `.cfg`, the `.toml` counts; the `.cfg` alone is read too."""
    app = home / "work/app"
    cfg = put(app / ".codetracer/trace-filter.cfg", toml(name="cfg"))
    assert names(load_policy(start=app, environ={"HOME": str(home)}))[-1] == "cfg"
    put(app / PROJECT, toml(name="toml"))
    assert names(load_policy(start=app, environ={"HOME": str(home)})) == ["builtin-default", "toml"]
    assert cfg.exists()


def test_an_override_in_the_home_directory_does_not_move_the_root(home):
    """A filter is relative to the project root wherever it lies itself."""
    app = home / "work/app"
    put(app / "pyproject.toml")
    override = put(home / "my.toml", toml(rule("file:src/x.py", "skip")))
    loaded = load_policy(trace_filter=[override], start=app, environ={"HOME": str(home)})
    assert loaded.project_root == os.path.realpath(app)
    assert not loaded.policy.scope(["x"], "src/x.py", "f").trace


def test_problems_of_a_whole_chain_come_together(home):
    """Missing files and mistakes in several filters are reported at once, and nothing is loaded."""
    app = home / "work/app"
    put(app / PROJECT, toml(rule("pkg", "skip")))
    bad = put(app / "bad.toml", toml(rule("pkg:*", "skp")))
    (app / "folder.toml").mkdir()
    entries = [bad, app / "none.toml", app / "folder.toml", f"{bad}::", "nul\0byte"]
    with pytest.raises(PolicyError) as caught:
        load_policy(trace_filter=entries, start=app, environ={"HOME": str(home)})
    assert sorted(problem.id for problem in caught.value.diagnostics) == [
        "bad-selector", "file-missing", "file-missing", "file-unreadable", "file-unreadable",
        "unknown-value", "unknown-value",
    ]  # fmt: skip
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("text", ["", "::", "x.toml::"])
def test_no_name_is_no_filter(home, text):
    """An empty text (of a variable that is not set) does not mean fewer filters, but one that is missing."""
    put(home / "x.toml", toml())
    with pytest.raises(PolicyError) as caught:
        load_policy(trace_filter=[text], start=home, environ={"HOME": str(home)})
    assert {problem.id for problem in caught.value.diagnostics} == {"file-missing"}


@pytest.mark.parametrize("what", ["link", "folder", "loop", "closed"])
@pytest.mark.parametrize("name", FILTER_FILES)
def test_a_filter_that_cannot_be_read_is_not_passed_over(home, what, name):
    """What lies where a project's filter lies is the project's filter, and an error if it cannot be read."""
    put(home / "work" / PROJECT, toml(name="outer"))
    path = home / "work/app" / name
    path.parent.mkdir(parents=True)
    if what == "folder":
        path.mkdir()
    elif what == "closed":
        put(path, toml()).chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("nothing is closed to this user")
    else:
        path.symlink_to("nowhere.toml" if what == "link" else path.name)
    with pytest.raises(PolicyError) as caught:
        load_policy(start=home / "work/app", environ={"HOME": str(home)})
    assert {problem.id for problem in caught.value.diagnostics} <= {"file-missing", "file-unreadable"}


def test_a_project_root_that_is_given_is_not_searched_for(home):
    """`project_root` names the root, and its filter is the project's."""
    put(home / "work" / PROJECT, toml(name="outer"))
    put(home / "work/app" / PROJECT, toml(name="inner"))
    loaded = load_policy(start=home / "work/app", project_root=home / "work", environ={"HOME": str(home)})
    assert names(loaded) == ["builtin-default", "outer"]


@pytest.mark.parametrize(
    ("module", "script", "framework"),
    [
        ("pytest", None, "pytest"),
        ("unittest", None, "unittest"),
        ("unittest.__main__", None, "unittest"),
        ("pytest_x", None, None),
        (None, "/usr/bin/pytest", "pytest"),
        (None, "bin/py.test", "pytest"),
        (None, "my_pytest.py", None),
        (None, None, None),
    ],
)
def test_frameworks(module, script, framework):
    """A test framework is known by the module or script that starts it."""
    assert framework_of(module, script) == framework
