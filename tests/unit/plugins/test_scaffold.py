from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from hyperroute.errors import PluginError
from hyperroute.plugins.scaffold import renamed, scaffold, template


def test_a_new_plugin_passes_its_own_conformance_tests_right_away(tmp_path):
    files = scaffold("nimbus-ai", into=tmp_path)
    root = tmp_path / "hyperroute-nimbus-ai"
    assert root / "src" / "hyperroute_nimbus_ai" / "__init__.py" in files
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=root,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout


def test_nothing_of_the_template_name_is_left(tmp_path):
    for path in scaffold("nimbus", into=tmp_path):
        assert "acme" not in f"{path.relative_to(tmp_path)} {path.read_text('utf-8')}".lower()


def test_the_new_distribution_announces_its_plugin(tmp_path):
    scaffold("hyperroute-nimbus-ai", into=tmp_path)
    text = (tmp_path / "hyperroute-nimbus-ai" / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    assert project["name"] == "hyperroute-nimbus-ai"
    assert project["entry-points"]["hyperroute"] == {"nimbus-ai": "hyperroute_nimbus_ai"}


@pytest.mark.parametrize("name", ["", "Acme", "a b", "../up", "-x", "x_", "a" * 41, "ünder"])
def test_a_name_that_is_no_word_is_refused(tmp_path, name):
    with pytest.raises(PluginError, match="is no name for a plugin"):
        scaffold(name, into=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "hyperroute-nimbus").mkdir()
    with pytest.raises(PluginError, match="already there"):
        scaffold("nimbus", into=tmp_path)


def test_every_spelling_is_renamed():
    assert renamed("ACME Acme acme hyperroute_acme hyperroute-acme", "a-b") == (
        "A_B A B a-b hyperroute_a_b hyperroute-a-b"
    )


def test_the_template_is_where_the_wheel_will_find_it():
    root = template().parents[1]
    config = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    included = config["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["plugins/_template"] == "hyperroute/plugins/_template"
