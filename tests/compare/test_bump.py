"""Which part of the version number a step raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rolldeck.compare import (
    Bump,
    Comparison,
    Guardrail,
    Policy,
    Row,
    Section,
    SectionName,
    Version,
    compare,
    propose,
)
from rolldeck.facts import Parameter
from tests.golden_kits import load_version

TODAY = date(2026, 11, 21)
FIELDS = (("input x", "double"), ("output y", "long"))


def bump(a: Version, b: Version, policy: Policy | None = None) -> Bump:
    """Compare two versions and propose."""
    return propose(compare(a, b, policy=policy), a, b, TODAY)


def base(tag: str = "v1.1.0") -> Version:
    """Return a golden version under a tag, with a signature."""
    version = load_version("wdbc:v1.1.0")
    return named(with_facts(version, signature=FIELDS), tag)


def retrained(**facts: Any) -> Version:
    """Return the version after it, which has other weights and the same signature."""
    return with_facts(load_version("wdbc:v1.2.0"), **{"signature": FIELDS, **facts})


def with_facts(version: Version, **facts: Any) -> Version:
    """Return a version that says something else of itself."""
    return replace(version, facts=replace(version.facts, **facts))


def named(version: Version, tag: str) -> Version:
    """Return a version under another tag."""
    name = version.reference.partition("@")[0].rpartition(":")[0]
    return replace(version, reference=f"{name}:{tag}@{version.kit.digest}", label=tag)


def test_a_retrained_model_with_the_same_signature_is_minor() -> None:
    """The weights come first among the reasons."""
    found = bump(base(), retrained())
    assert (found.level, found.current, found.proposed) == ("minor", "v1.1.0", "v1.2.0")
    assert found.reasons[0] == "the weights changed"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ((("output y", "long"),), "input x was removed"),
        ((("input x", "string"), ("output y", "long")), "input x is string, was double"),
        ((*FIELDS, ("input z", "long")), "input z was added: long"),
        ((("input x", "double"),), "output y was removed"),
    ],
)
def test_what_breaks_callers_is_major(signature: Any, reason: str) -> None:
    """Inputs and outputs, removed, retyped or newly required."""
    found = bump(base(), retrained(signature=signature))
    assert (found.level, found.proposed, found.reasons[0]) == ("major", "v2.0.0", reason)


@pytest.mark.parametrize(
    "signature",
    [(*FIELDS, ("input z", "long, optional")), (*FIELDS, ("output z", "long")),
     (("input x", "double, optional"), ("output y", "long"))],
)  # fmt: skip
def test_what_callers_need_not_notice_is_minor(signature: Any) -> None:
    """An optional input, one that is no longer required, another output."""
    found = bump(base(), retrained(signature=signature))
    assert found.level == "minor"
    assert any("breaks no caller" in reason for reason in found.reasons)


@pytest.mark.parametrize(("one", "other"), [(None, FIELDS), (FIELDS, None), (None, None)])
def test_a_missing_signature_is_for_a_person_to_review(one: Any, other: Any) -> None:
    """Undeclared is not empty: no number is proposed."""
    found = bump(with_facts(base(), signature=one), retrained(signature=other))
    assert (found.level, found.proposed) == ("review", None)
    assert "whether callers break is unknown" in found.reasons[0]
    assert bump(with_facts(base(), signature=()), retrained(signature=())).level == "minor"


def test_documents_alone_are_a_patch_even_without_a_signature() -> None:
    """The same weights keep their contract, declared or not."""
    a = with_facts(base(), signature=None)
    row = Row("docs/more.md", "added", None, "1 line")
    changed = _with(replace(compare(a, a), identical=False), "code", row)
    found = propose(changed, a, a, TODAY)
    assert (found.level, found.proposed) == ("patch", "v1.1.1")
    assert found.reasons == ("docs/more.md changed", "the weights are the same")


def _with(found: Comparison, name: SectionName, row: Row) -> Comparison:
    """Return a comparison with another row in place of those of a section."""
    sections = tuple(
        Section(name, (row,)) if section.name == name else section for section in found.sections
    )
    return replace(found, sections=sections)


def test_the_same_manifest_and_the_same_content_are_none() -> None:
    """Nothing is proposed."""
    found = bump(base(), base())
    assert (found.level, found.proposed, found.reasons) == ("none", None, ("the same manifest",))
    a = base()
    packed = replace(compare(a, a), identical=False)
    again = propose(packed, a, a, TODAY)
    assert (again.level, again.reasons) == ("none", ("the same content, packed in another way",))


@pytest.mark.parametrize(
    ("name", "before", "after", "reason"),
    [
        ("config.architectures[0]", "BertModel", "RobertaModel", "architecture: "),
        ("config.model_type", "bert", "roberta", "architecture: "),
        ("config.hidden_size", "768", "1024", "architecture: "),
        ("config.id2label.0", "benign", "malignant", "the labels of the output changed"),
    ],
)
def test_architecture_and_labels_are_major(name: str, before: str, after: str, reason: str) -> None:
    """Labels in another order give other answers through the same signature."""
    a = with_facts(base(), parameters=(Parameter(name, before, "config.json"),))
    b = retrained(parameters=(Parameter(name, after, "config.json"),))
    found = bump(a, b)
    assert found.level == "major"
    assert found.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    ("row", "level"),
    [
        (Row("layer.0.weight", "changed", "F32 10x20", "F32 10x30"), "major"),
        (Row("layer.1.weight", "added", None, "F32 10x20"), "major"),
        (Row("layer.0.weight", "changed", "F32 10x20", "BF16 10x20"), "minor"),
        (Row("model.pkl imports sklearn.tree.Tree", "added", None, "yes"), "minor"),
        (Row("weights model.safetensors", "removed", "safetensors, 4 tensors", None), "minor"),
    ],
)
def test_tensors(row: Row, level: str) -> None:
    """Another shape is another architecture, another type is not."""
    a, b = base(), retrained()
    found = compare(a, b)
    tensors = Section("tensors", (row,))
    found = replace(found, sections=(*found.sections, tensors))
    assert propose(found, a, b, TODAY).level == level


@pytest.mark.parametrize(
    ("row", "level", "reason"),
    [
        (Row("python requires", "changed", ">=3.11", ">=4.0"), "major",
         "Python >=4.0 is needed, it was >=3.11"),
        (Row("image cuda", "changed", "11.8", "12.4"), "major",
         "CUDA 12.4 is needed, it was 11.8"),
        (Row("torch", "changed", "2.6.0+cu118", "2.7.1+cu126"), "major",
         "the CUDA of torch 2.7.1+cu126 is needed, it was 2.6.0+cu118"),
        (Row("torch", "changed", "2.6.0+cu124", "2.7.1+cu126"), "minor", "the weights changed"),
        (Row("torch", "changed", "2.6.0", "3.0.0"), "minor", "the weights changed"),
        (Row("hardware cuda", "changed", "11.8", "12.4"), "minor", "the weights changed"),
    ],
)  # fmt: skip
def test_a_raised_major_version_of_python_or_cuda_is_major(
    row: Row, level: str, reason: str
) -> None:
    """Whoever runs it must change more than the model; what the training had is no requirement."""
    a, b = base(), retrained()
    proposed = propose(_with(compare(a, b), "environment", row), a, b, TODAY)
    assert (proposed.level, proposed.reasons[0]) == (level, reason)


def test_weights_of_a_kit_that_was_not_read_are_for_review() -> None:
    """A chain that could not be followed hides what changed."""
    a, b = base(), retrained()
    row = Row("model", "changed", "acme/base:v1", "its own", verdict="unknown", note="not read")
    found = propose(_with(compare(a, b), "layers", row), a, b, TODAY)
    assert found.level == "review"
    assert "was not read" in found.reasons[0]


@pytest.mark.parametrize(
    ("tag", "level", "proposed"),
    [("v0.4.1", "minor", "v0.5.0"), ("2026.10.3", "major", "2026.11.1"), ("v3", "major", "v4")],
)
def test_the_number_is_written_as_the_tag_of_a_is(tag: str, level: str, proposed: str) -> None:
    """Before 1.0 a breaking change is minor; a date has no levels."""
    found = bump(base(tag), retrained(signature=()))
    assert (found.level, found.current, found.proposed) == (level, tag, proposed)


def test_a_tag_that_is_no_version_gives_way_to_the_kitfile() -> None:
    """``latest`` says nothing, the version that the Kitfile names does."""
    found = bump(base("latest"), retrained())
    stated = base().kit.package.get("version")
    assert found.current == stated
    assert found.proposed is not None


@pytest.mark.parametrize("signature", [FIELDS, ()])
def test_a_failed_guardrail_is_for_a_person_to_review_whatever_the_level(signature: Any) -> None:
    """What else speaks for a level still stands among the reasons."""
    policy = Policy({"recall": Guardrail(min=0.99)})
    found = bump(base(), retrained(signature=signature), policy)
    assert (found.level, found.proposed) == ("review", None)
    assert found.reasons[0].startswith("guardrail failed: recall: ")
    assert "below the min of 0.99" in found.reasons[0]
    assert "the weights changed" in found.reasons


def test_a_guardrail_that_holds_changes_no_level() -> None:
    """Nor does one that cannot be judged."""
    policy = Policy({"recall": Guardrail(min=0.5), "speed": Guardrail(max=3)})
    assert bump(base(), retrained(), policy).level == "minor"


@pytest.mark.parametrize(("allowed", "level"), [(0.001, "minor"), (0.5, "patch")])
def test_a_metric_that_improved_beyond_its_guardrail_is_minor(allowed: float, level: str) -> None:
    """Another threshold in the code can do that with the same weights."""
    a = with_facts(base(), signature=FIELDS)
    row = Row("f1", "changed", 0.8, 0.9, 0.1, 0.125, "better", metric="f1")
    changed = _with(replace(compare(a, a), identical=False), "metrics", row)
    policy = Policy({"f1": Guardrail(max_regression=allowed)})
    found = propose(replace(changed, policy=policy), a, a, TODAY)
    assert found.level == level
