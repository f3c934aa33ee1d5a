"""``rolldeck env check`` and ``rolldeck bump``, as scripts see them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rolldeck.cli import main


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, object]:
    """Run a verb and return its document."""
    assert main([*words, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_env_check_as_json(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys that scripts rely on."""
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    words = ["env", "check", reference, "--python", sys.executable]
    found = document(capsys, *words)
    assert {"reference", "digest", "fits", "findings", "host", "python"} == set(found)
    findings = found["findings"]
    assert isinstance(findings, list)
    assert set(findings[0]) == {"what", "version", "host", "severity", "detail"}
    assert found["fits"] is False
    assert main([*words, "--exit-code"]) == 1


def test_env_check_for_people(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against what, what was found, and the verdict."""
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    assert main(["env", "check", reference, "--python", sys.executable]) == 0
    out = capsys.readouterr().out
    assert out.startswith("v1.0.0 here\n")
    assert f"Python {sys.version.split()[0]}" in out
    assert "× scikit-learn 1.7.2 is not installed" in out
    assert "It does not fit: " in out


def test_an_interpreter_that_is_not_there(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of the caller."""
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    assert main(["env", "check", reference, "--python", "/nowhere/python"]) == 2
    assert "There is no interpreter at /nowhere/python" in capsys.readouterr().err


def test_bump_as_json(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys that scripts rely on; a tag alone is one of A's repository."""
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    found = document(capsys, "bump", reference, "v1.1.0")
    assert set(found) == {"from", "level", "to", "reasons", "a", "b"}
    assert (found["from"], found["level"], found["to"]) == ("v1.0.0", "minor", "v1.1.0")
    reasons = found["reasons"]
    assert isinstance(reasons, list)
    assert reasons[0] == "the weights changed"


def test_bump_leaves_a_failed_guardrail_to_a_person(
    golden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The policy that ``--policy`` names, or the settings."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[metrics.recall]\nmin = 0.99\n")
    words = ("bump", f"oci:{golden}/layouts/wdbc:v1.0.0", "v1.1.0", "--policy", str(policy))
    found = document(capsys, *words)
    assert (found["level"], found["to"]) == ("review", None)
    assert "guardrail failed: recall" in str(found["reasons"])


def test_bump_of_one_version(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing changed, so nothing is proposed."""
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    assert main(["bump", reference, "v1.0.0"]) == 0
    assert capsys.readouterr().out == "none\n  · the same manifest\n"
