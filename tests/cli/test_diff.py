"""``rolldeck diff`` as a script and a pipeline see it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.kit.golden_kits import unpack_context

PACKINGS = {
    "none": (),
    "gzip": ("--compression", "gzip"),
    "zstd": ("--compression", "zstd"),
    "pack": ("--model-pack",),
    "pack-gzip": ("--model-pack", "--compression", "gzip"),
    "pack-zstd": ("--model-pack", "--compression", "zstd"),
}


@pytest.fixture
def sides(golden: Path) -> tuple[str, str]:
    """Two versions of which the second has a worse recall."""
    return f"oci:{golden}/layouts/wdbc:v1.2.0", "v2.0.0"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Where a policy may be written."""
    return tmp_path / "policy.toml"


def packed(rolldeck: Run, context: Path, tag: str) -> None:
    ran = rolldeck("pack", context, "-t", f"era:{tag}", *PACKINGS[tag])
    assert ran.code == 0, ran.err


def test_the_same_content_packed_in_any_way_is_the_same(rolldeck: Run, tmp_path: Path) -> None:
    """Compression and dialect change every digest and no layer, data set or file."""
    context = unpack_context("era", tmp_path / "contexts")
    for tag in PACKINGS:
        packed(rolldeck, context, tag)
    for one, other in combinations(PACKINGS, 2):
        document = rolldeck("diff", f"era:{one}", other, "--json", "--all").document
        by_name = {section["name"]: section for section in document["sections"]}
        assert not document["identical"]
        assert document["summary"] == "Same content, other packing or annotations", (one, other)
        for name in ("layers", "code", "data", "parameters", "metrics"):
            assert by_name[name]["changed"] == 0, (one, other, name)
        assert by_name["layers"]["equal"] > 0


def test_a_changed_byte_is_found_across_packings(rolldeck: Run, tmp_path: Path) -> None:
    """So that the same is not said of everything."""
    context = unpack_context("era", tmp_path / "contexts")
    packed(rolldeck, context, "gzip")
    (context / "models/llm/model.bin").write_bytes(b"other weights")
    for tag in ("zstd", "pack-zstd"):
        packed(rolldeck, context, tag)
        assert "weights moved" in rolldeck("diff", "era:gzip", tag).out


@pytest.mark.parametrize(
    ("option", "begins"),
    [("--md", "### `v1.2.0`"), ("--html", "<!doctype html>"), ("--tsv", "section\tkey\t")],
)
def test_formats(rolldeck: Run, sides: tuple[str, str], option: str, begins: str) -> None:
    ran = rolldeck("diff", *sides, option)
    assert ran.code == 0
    assert ran.out.startswith(begins)
    assert "recall" in ran.out


@pytest.mark.parametrize("other", ["--html", "--json"])
def test_one_format_at_a_time(rolldeck: Run, sides: tuple[str, str], other: str) -> None:
    assert rolldeck("diff", *sides, "--md", other).code == 2


def test_one_file_is_text_or_json(rolldeck: Run, sides: tuple[str, str]) -> None:
    assert rolldeck("diff", *sides, "--file", "src/train.py", "--md").code == 2


def test_only_some_sections(rolldeck: Run, sides: tuple[str, str]) -> None:
    document = rolldeck("diff", *sides, "--json", "--only", "data,metrics").document
    assert [section["name"] for section in document["sections"]] == ["metrics", "data"]
    text = rolldeck("diff", *sides, "--only", "data").out
    assert "Data  2 of 2" in text
    assert "Metrics" not in text


def test_the_exit_code_is_about_the_sections_that_were_asked_for(
    rolldeck: Run, golden: Path
) -> None:
    words = ("diff", f"oci:{golden}/layouts/wdbc:v1.1.0", "v1.2.0", "--exit-code")
    assert rolldeck(*words, "--only", "data").code == 0
    assert rolldeck(*words, "--only", "metrics").code == 1


@pytest.mark.parametrize(
    ("only", "hint"), [("metrisc", "Did you mean metrics?"), ("zzz", "Sections: "), (",", "Secti")]
)
def test_a_section_that_does_not_exist(
    rolldeck: Run, sides: tuple[str, str], only: str, hint: str
) -> None:
    ran = rolldeck("diff", *sides, "--only", only)
    assert ran.code == 2
    assert hint in ran.err


@pytest.mark.parametrize("tolerance", ["1.2%", "1.2 %", "0.012"])
def test_tolerance_folds_and_counts(rolldeck: Run, sides: tuple[str, str], tolerance: str) -> None:
    ran = rolldeck("diff", *sides, "--tolerance", tolerance)
    assert "equal, ≈ 3 within 1.2 % rows are hidden" in ran.out
    assert "4 metrics better" in ran.out


@pytest.mark.parametrize("tolerance", ["lots", "-1", "100%", "nan", "1"])
def test_a_tolerance_that_is_none(rolldeck: Run, sides: tuple[str, str], tolerance: str) -> None:
    assert rolldeck("diff", *sides, f"--tolerance={tolerance}").code == 2


def test_settings_set_the_tolerance_and_the_option_goes_before_them(
    rolldeck: Run, sides: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "s.toml").write_text('tolerance = "1.2 %"\n')
    settings = ("--settings", tmp_path / "s.toml", "--json")
    assert rolldeck("diff", *sides, *settings).document["tolerance"] == pytest.approx(0.012)
    exact = rolldeck("diff", *sides, *settings, "--tolerance", "0").document
    assert exact["tolerance"] == 0


def test_settings_set_a_direction(rolldeck: Run, sides: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[directions]\n"roc_*" = "lower"\n')
    document = rolldeck("diff", *sides, "--json", "--settings", tmp_path / "s.toml").document
    metrics = next(item for item in document["sections"] if item["name"] == "metrics")
    declared = next(row for row in metrics["rows"] if row["key"] == "roc_auc")
    assert declared["verdict"] == "better", "what the version declares goes before the settings"


def test_a_regression_fails_where_that_was_asked_for(
    rolldeck: Run, sides: tuple[str, str], golden: Path
) -> None:
    assert rolldeck("diff", *sides).code == 0
    assert rolldeck("diff", *sides, "--fail-on", "regression").code == 1
    better = (f"oci:{golden}/layouts/wdbc:v1.1.0", "v1.2.0", "--fail-on", "regression")
    assert rolldeck("diff", *better).code == 0
    tolerant = ("--tolerance", "2%", "--fail-on", "regression")
    assert rolldeck("diff", *sides, *tolerant).code == 0


@pytest.mark.parametrize("form", [None, "--md", "--tsv", "--html", "--json"])
def test_a_failed_guardrail_is_one_line_in_every_format(
    rolldeck: Run, sides: tuple[str, str], policy: Path, form: str | None
) -> None:
    policy.write_text("[metrics.recall]\nmin = 0.96\n")
    ran = rolldeck("diff", *sides, "--policy", policy, *([form] if form else []))
    assert ran.code == 1
    wanted = "recall: 0.955556 is 0.004444 below the min of 0.96"
    (line,) = [line for line in (ran.err if form else ran.out).splitlines() if wanted in line]
    assert "failed" in line
    if form == "--json":
        (result,) = ran.document["guardrails"]
        assert result["by"] == pytest.approx(0.004444)
        assert (result["metric"], result["limit"], result["bound"]) == ("recall", "min", 0.96)


def test_a_policy_decides_what_a_regression_is(
    rolldeck: Run, sides: tuple[str, str], policy: Path
) -> None:
    policy.write_text('[metrics.recall]\nmax_relative_regression = "2 %"\n')
    ran = rolldeck("diff", *sides, "--policy", policy, "--fail-on", "regression")
    assert ran.code == 0
    assert "passed   recall" in ran.out


def test_a_policy_in_the_settings_is_shown_and_fails_only_where_asked(
    rolldeck: Run, sides: tuple[str, str], policy: Path, tmp_path: Path
) -> None:
    policy.write_text("[metrics.recall]\nmin = 0.96\n")
    (tmp_path / "s.toml").write_text(f'policy = "{policy}"\n')
    words = ("diff", *sides, "--settings", tmp_path / "s.toml")
    shown = rolldeck(*words)
    assert shown.code == 0
    assert "Guardrails  1 failed of 1" in shown.out
    assert rolldeck(*words, "--fail-on", "regression").code == 1


def test_a_missing_policy_is_not_found(rolldeck: Run, sides: tuple[str, str], policy: Path) -> None:
    assert rolldeck("diff", *sides, "--policy", policy).code == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[metrics.f1]\nmni = 1", ':2: no such key "mni" in [metrics.f1]'),
        ("[metrics.f1]\nmni = 1", "Did you mean min?"),
        ("[metric.f1]\nmin = 1", "Did you mean metrics?"),
        ("[metrics.f1]\n\nmin = 'x'", ':3: "min" in [metrics.f1] should be a number'),
        ("[metrics.f1]", ":1: "),
        ("[metrics.f1]\nmax_regression = -1", ':2: "max_regression" in [metrics.f1] should be 0'),
        ("[metrics.f1]\nmin = nan", ':2: "min" in [metrics.f1] should be a finite number'),
        ("[metrics.f1]\nmin = 2\nmax = 1", ':2: "min" in [metrics.f1] should be no larger'),
        ("[metrics.f1.slices.a]\nmx = 1", ':2: no such key "mx" in [metrics.f1.slices.a]'),
        ("[metrics.f1]\nmax_relative_regression = 'x'", ":2: "),
        ("[metrics.f1.slices.a.slices.b]\nmin = 1", "slices have none"),
        ("min = ", ":1"),
        ("", '"metrics" is missing'),
    ],
)
def test_a_mistake_in_a_policy_names_line_and_key(
    rolldeck: Run, sides: tuple[str, str], policy: Path, text: str, said: str
) -> None:
    policy.write_text(text)
    ran = rolldeck("diff", *sides, "--policy", policy)
    assert ran.code == 2
    assert said in ran.err.replace("\n", " ").replace("  ", " ")
    assert "rolldeck" in ran.err
    assert "Traceback" not in ran.err
