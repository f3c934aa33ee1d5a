"""What screens show, computed without an app."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rolldeck.actions import TargetState, VersionList
from rolldeck.compare import wording
from rolldeck.compare.model import Row
from rolldeck.errors import UsageError
from rolldeck.kit import Link
from rolldeck.oci import Reference
from rolldeck.tui.models.deck_state import DeckState
from rolldeck.tui.models.details_page import DetailsView, details_page
from rolldeck.tui.models.filter import Filter
from rolldeck.tui.models.repository_rows import repository_lines
from rolldeck.tui.models.sparkline import sparkline
from rolldeck.tui.models.table import arrange, fit
from rolldeck.tui.models.typed import parse_typed
from rolldeck.tui.models.version_rows import VersionTable
from tests.tui.world import FRAUD, NOW, a_row, a_version, a_world, digest_of, fraud_rows

ROWS = fraud_rows()


def table(**more: object) -> VersionTable:
    """Return the table of the made-up repository."""
    return VersionTable(ROWS, now=NOW, **more)  # type: ignore[arg-type]


def found(text: str) -> list[str]:
    """Return the labels that a filter leaves."""
    data = table()
    wanted = Filter.parse(text, {"version", "channel", "tag", "digest", "here"})
    return [ROWS[number].label for number in arrange(data, wanted, None, False)]


def test_filter_finds_text_in_any_column() -> None:
    """Plain text is found anywhere, whatever its case."""
    assert found("V2.4") == ["v2.4.1", "v2.4.0"]
    assert found("PRODUCTION") == ["v2.4.1"]


def test_filter_inverts_and_names_columns() -> None:
    """``!`` turns it around, ``column:`` looks in one column, all words must hold."""
    assert found("!v2.3") == ["v2.4.1", "v2.4.0"]
    assert found("channel:staging") == ["v2.3.8"]
    assert found("v2.3 !channel:staging") == ["v2.3.9", "v2.3.7", "v2.3.6", "v2.3.5", "v2.3.4"]
    assert found("here:library") == ["v2.3.9"]


def test_word_with_colon_that_is_no_column_is_text() -> None:
    """``sha256:ab`` is searched for as it stands."""
    assert found(ROWS[0].digest[:14]) == ["v2.4.1"]


def test_columns_give_way_in_their_order_and_never_the_version() -> None:
    """History, created, digest, size, metric, here; version and channel stay."""
    data = table()
    left = [
        {data.columns[number].id for number, _ in fit(data.columns, width)}
        for width in range(100, 10, -1)
    ]
    order = ["history", "created", "digest", "size", "metric", "here"]
    gone = [next(i for i, ids in enumerate(left) if name not in ids) for name in order]
    assert gone == sorted(gone)
    assert all({"version", "channel"} <= ids for ids in left)


@pytest.mark.parametrize("width", range(30, 130, 7))
def test_columns_fit_their_width(width: int) -> None:
    """However narrow, columns and gaps do not exceed the table."""
    fitted = fit(table().columns, width)
    assert 3 + sum(item for _, item in fitted) + 2 * (len(fitted) - 1) <= width


def test_sorting_by_metric_puts_rows_without_it_last() -> None:
    """Rows without a value go to the end in either direction."""
    rows = [*ROWS[:3], replace(ROWS[3], metrics={})]
    data = VersionTable(rows, now=NOW)
    for reverse in (False, True):
        order = arrange(data, Filter(), "metric", reverse)
        assert order[-1] == 3
    assert arrange(data, Filter(), "metric", False)[0] == 1


def test_here_says_current_on_disk_in_library() -> None:
    """What is live in a target wins over what is unpacked, and that over the library."""
    data = table(targets=a_world().targets)
    here = [data.here(row.digest, row.local) for row in ROWS[:4]]
    assert here == ["current", "on disk", "in library", "–"]


def test_sparkline_uses_the_lower_heights_and_survives_anything() -> None:
    """One character per value; equal, missing and infinite values included."""
    assert sparkline([1, 2, 3]) == "▁▃▅"
    assert sparkline([1, 1]) == "▃▃"
    assert sparkline([1, None, 2]) == "▁ ▅"
    assert sparkline([float("inf"), None]) == ""
    assert len(sparkline([-1.7e308, 1.7e308])) in (0, 2)


def state_with(*labels: str) -> DeckState:
    """Return a state with the made-up repository and some marks."""
    state = DeckState()
    state.repository = FRAUD
    state.lists[FRAUD] = VersionList(FRAUD, ROWS, True, 0)
    for label in labels:
        state.toggle_mark(next(row for row in ROWS if row.label == label))
    return state


def tags(pair: tuple[Reference, Reference] | None) -> tuple[str | None, ...]:
    """Return the tags of a pair."""
    return tuple(item.tag for item in pair) if pair else ()


def test_two_marks_are_compared_older_first() -> None:
    """Whatever was marked first, the older version is A."""
    assert tags(state_with("v2.4.1", "v2.3.9").pair(ROWS[5])) == ("v2.3.9", "v2.4.1")
    assert tags(state_with("v2.3.9", "v2.4.1").pair(None)) == ("v2.3.9", "v2.4.1")


def test_a_comparison_takes_the_last_two_marks() -> None:
    """It has two sides; a table takes all."""
    state = state_with("v2.4.1", "v2.4.0", "v2.3.9")
    assert tags(state.pair(None)) == ("v2.3.9", "v2.4.0")
    assert [item.tag for item in state.several(None, 2)] == ["v2.4.1", "v2.4.0", "v2.3.9"]


def test_without_marks_a_table_takes_the_newest() -> None:
    """One mark is none to look at together; further down, those from the cursor on."""
    state = state_with("v2.4.1")
    assert [item.tag for item in state.several(None, 3)] == ["v2.4.1", "v2.4.0", "v2.3.9"]
    assert [item.tag for item in state.several(ROWS[1], 2)] == ["v2.4.1", "v2.4.0"]
    assert [item.tag for item in state.several(ROWS[4], 2)] == ["v2.3.7", "v2.3.6"]


def test_the_versions_before_begin_with_the_newer_side() -> None:
    """Newest first, as the list has them; nothing where no list has either."""
    state = state_with()
    found = state.before((str(ROWS[3].digest), str(ROWS[1].digest)), 3)
    assert [item.tag for item in found] == ["v2.4.0", "v2.3.9", "v2.3.8"]
    assert state.before(("sha256:x", "sha256:y"), 3) == ()


def test_without_marks_the_baseline_then_what_is_live_then_the_one_before() -> None:
    """The second version is found in that order."""
    state = state_with()
    assert tags(state.pair(ROWS[2])) == ("v2.3.8", "v2.3.9")
    state.targets = a_world().targets
    assert tags(state.pair(ROWS[2])) == ("v2.3.9", "v2.4.1")
    assert tags(state.pair(ROWS[0])) == ("v2.4.0", "v2.4.1")
    assert state.toggle_baseline(ROWS[4])
    assert tags(state.pair(ROWS[0])) == ("v2.3.7", "v2.4.1")
    assert not state.toggle_baseline(ROWS[4])
    assert state_with().pair(ROWS[-1]) is None


def test_target_belongs_to_its_repository_and_to_the_library_copy_of_it() -> None:
    """A pin from the registry is found from the library's copy as well."""
    state = state_with()
    state.targets = a_world().targets
    assert state.targets_here()
    state.repository = Reference.parse("local:ghcr.io/acme/fraud")
    assert state.targets_here()
    state.repository = Reference.parse("movie-recommend")
    assert not state.targets_here()


@pytest.mark.parametrize("width", [20, 40, 76, 120])
@pytest.mark.parametrize(
    "unfolded", [frozenset[str](), frozenset({"metrics", "layers", "kitfile"})]
)
def test_details_fit_and_every_section_has_a_stop(width: int, unfolded: frozenset[str]) -> None:
    """Every section can be reached by the cursor."""
    page = details_page(DetailsView(ROWS[0], a_version(ROWS[0]), unfolded=unfolded, now=NOW), width)
    targets = {stop.target for stop in page.stops}
    assert {"metrics", "layers", "environment", "parameters", "kitfile", "manifest"} <= targets
    assert all(stop.line < len(page.lines) for stop in page.stops)


def test_repositories_stand_under_their_source() -> None:
    """Sources come in their order; a filter takes empty ones away."""
    listing = a_world().repositories
    texts = [item.line.text.strip() for item in repository_lines(listing, Filter(), 30)]
    assert texts[0] == "local library"
    assert "ghcr.io" in texts
    wanted = Filter.parse("churn", ("name", "source"))
    assert len(repository_lines(listing, wanted, 30)) == 2


def test_typed_commands_are_parsed_or_explained() -> None:
    """Arguments may be quoted; a wrong form is answered with the right one."""
    typed = parse_typed(":unpack ghcr.io/acme/fraud:v1 '/srv/a b'")
    assert typed.command.id == "version.unpack"
    assert typed.arguments == ("ghcr.io/acme/fraud:v1", "/srv/a b")
    with pytest.raises(UsageError, match="pull REFERENCE"):
        parse_typed("pull")
    with pytest.raises(UsageError, match="No such command"):
        parse_typed("explode now")
    with pytest.raises(UsageError, match="No such command"):
        parse_typed("pull x", read_only=True)


def test_headline_metric_is_the_most_common() -> None:
    """The metric that most versions have is the column."""
    rows = [a_row(FRAUD, f"v{n}", n, metrics={"auc": 0.9} if n else {"f1": 1}) for n in range(3)]
    assert VersionTable(rows, now=NOW).metric == "auc"
    assert digest_of("a") != digest_of("b")


def test_details_tell_where_a_model_comes_from() -> None:
    """The other kit with the size of what it lends; its layers say so and do not count as own."""
    version = a_version(ROWS[0])
    lent = replace(version.kit.layers[0], origin="acme/base:v1")
    link = Link("acme/base:v1", FRAUD, a_version(ROWS[1]).kit)
    kit = replace(version.kit, layers=(lent, *version.kit.layers[1:]))
    shown = replace(version, kit=kit, chain=(link,))
    view = DetailsView(ROWS[0], shown, unfolded=frozenset({"layers"}), now=NOW)
    text = [line.text for line in details_page(view, 160).lines]
    assert any("Model from" in line and "acme/base:v1 4.1 GiB" in line for line in text)
    assert any("model.safetensors   from acme/base:v1" in line for line in text)
    assert any("3 layers" in line for line in text)
    broken = replace(version, chain_problem="not to be reached")
    view = DetailsView(ROWS[0], broken, now=NOW)
    assert any("not to be reached" in line.text for line in details_page(view, 160).lines)


def test_details_name_the_targets() -> None:
    """Which targets a version is current in, and where else it lies."""
    state = state_with()
    digest = ROWS[0].digest
    paths = [("/srv/a", digest), ("/srv/b", None), ("/srv/c", digest)]
    state.targets = tuple(
        TargetState(Path(path), "x", current, "", frozenset({digest}), None)
        for path, current in paths
    )
    assert state.places_of(digest) == "current in /srv/a, /srv/c, on disk in /srv/b"
    assert state.places_of(ROWS[1].digest) == ""


def test_whole_numbers_differ_by_whole_numbers() -> None:
    """Sizes without a unit are not written with an exponent."""
    assert wording.delta(Row("size", "changed", 500_000, 255_800, -244_200.0), False) == "-244200"
    assert wording.delta(Row("f1", "changed", 0.9, 0.8, -0.1), False) == "-0.1"
