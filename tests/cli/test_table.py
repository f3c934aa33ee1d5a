"""``rolldeck table`` and ``rolldeck plot`` as a person and a script see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def wdbc(golden: Path) -> str:
    """A repository of four versions."""
    return f"oci:{golden}/layouts/wdbc"


def test_a_repository_is_its_newest_versions(rolldeck: Run, wdbc: str) -> None:
    """Newest first, and what is left out is said."""
    ran = rolldeck("table", wdbc, "--last", 2)
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["VERSION", "v2.0.0", "v1.2.0"]
    assert "2 older versions are not shown" in ran.err


def test_named_versions_stand_in_their_order(rolldeck: Run, wdbc: str) -> None:
    """A tag alone means the repository of the first."""
    document = rolldeck("table", f"{wdbc}:v1.1.0", "v2.0.0", "--json").document
    assert [version["label"] for version in document["versions"]] == ["v1.1.0", "v2.0.0"]


def test_versions_of_several_repositories(rolldeck: Run, wdbc: str, golden: Path) -> None:
    """Each is told with its repository."""
    era = f"oci:{golden}/layouts/era:v1.0.0-none"
    ran = rolldeck("table", f"{wdbc}:v2.0.0", era, "--tsv")
    assert [line.split("\t")[0] for line in ran.out.splitlines()][1:] == [
        "wdbc:v2.0.0", "era:v1.0.0-none"
    ]  # fmt: skip


def test_a_baseline_of_the_list_is_one_row(rolldeck: Run, wdbc: str) -> None:
    """It moves to the top, and the others are told against it."""
    document = rolldeck("table", wdbc, "--baseline", "v1.1.0", "--json").document
    assert [version["label"] for version in document["versions"]] == [
        "v1.1.0", "v2.0.0", "v1.2.0", "v1.0.0"
    ]  # fmt: skip
    change = document["versions"][1]["changes"]["recall"]
    assert change["verdict"] == "worse"
    assert change["delta"] < 0


def test_a_baseline_from_elsewhere(rolldeck: Run, wdbc: str, golden: Path) -> None:
    """Any repository may hold it."""
    era = f"oci:{golden}/layouts/era:v1.0.0-none"
    document = rolldeck("table", wdbc, "--last", 1, "--baseline", era, "--json").document
    assert [version["label"] for version in document["versions"]] == [
        "era:v1.0.0-none", "wdbc:v2.0.0"
    ]  # fmt: skip
    assert document["baseline"].startswith(era)


def test_sorted_by_a_metric(rolldeck: Run, wdbc: str) -> None:
    """The best first, and with --reverse the worst."""
    best = rolldeck("table", wdbc, "--sort", "log_loss").out.splitlines()
    worst = rolldeck("table", wdbc, "--sort", "log_loss", "--reverse").out.splitlines()
    assert [line.split()[0] for line in best[1:]] == ["v1.0.0", "v2.0.0", "v1.2.0", "v1.1.0"]
    assert worst[1:] == best[:0:-1]


def test_a_misspelt_metric_names_the_nearest(rolldeck: Run, wdbc: str) -> None:
    ran = rolldeck("table", wdbc, "--sort", "recall_", "--json")
    assert ran.code == 2
    assert ran.error["hint"] == "Did you mean recall?"


def test_equal_parameters_are_counted(rolldeck: Run, wdbc: str) -> None:
    assert "1 parameter is the same in all" in rolldeck("table", wdbc).err
    assert rolldeck("table", wdbc, "--json").document["hidden"] == 1
    assert rolldeck("table", wdbc, "--all", "--json").document["hidden"] == 0


def test_a_version_that_is_not_there(rolldeck: Run, wdbc: str) -> None:
    """What was named and cannot be read is an error, not an empty row."""
    assert rolldeck("table", f"{wdbc}:v9", "v1.0.0").code == 3


@pytest.mark.parametrize("last", ["0", "-1"])
def test_last_is_at_least_one(rolldeck: Run, wdbc: str, last: str) -> None:
    assert rolldeck("table", wdbc, "--last", last).code == 2
    assert rolldeck("plot", wdbc, "--last", last).code == 2


def test_one_format_at_a_time(rolldeck: Run, wdbc: str) -> None:
    assert rolldeck("table", wdbc, "--md", "--json").code == 2


def test_a_line_is_whole_where_nobody_reads_it_on_a_terminal(rolldeck: Run, wdbc: str) -> None:
    assert "…" not in rolldeck("table", wdbc, "--baseline", "v1.0.0").out


def test_a_plot_runs_from_old_to_new(rolldeck: Run, wdbc: str) -> None:
    """With the best and the worst marked."""
    ran = rolldeck("plot", wdbc, "--metric", "recall", "--ascii")
    lines = ran.out.splitlines()
    assert lines[0] == "recall ↑"
    assert lines[-3].split() == ["v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0"]
    assert "* best v1.0.0 0.9778" in lines[-1]
    assert "x worst v2.0.0 0.9556" in lines[-1]


def test_a_plot_as_numbers(rolldeck: Run, wdbc: str) -> None:
    """Oldest first, as it is drawn."""
    document = rolldeck("plot", wdbc, "--metric", "recall", "--json").document
    assert [version["metrics"]["recall"] for version in document["versions"]] == [
        0.977778, 0.966667, 0.966667, 0.955556
    ]  # fmt: skip


def test_what_is_no_number_is_not_drawn(rolldeck: Run, wdbc: str) -> None:
    assert rolldeck("plot", wdbc, "--metric", "model").code == 2
