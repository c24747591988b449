from pathlib import Path

import pytest
from typer.testing import CliRunner

from arcuate.cli import app


def test_comparison_without_a_watched_eye_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCUATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    ended = CliRunner().invoke(app, ["models", "compare", "retinervenet"])

    assert ended.exit_code == 0
    assert "has not watched an eye yet: `arcuate models shadow retinervenet`" in ended.stdout
    assert "mean difference" not in ended.stdout
