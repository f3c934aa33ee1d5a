"""What the details say of weights, pickles and the signature of a version."""

from __future__ import annotations

from dataclasses import replace

from rolldeck.facts import Facts
from rolldeck.facts.pickles import Pickle
from rolldeck.facts.tensors import Tensor
from rolldeck.facts.weights import Weights
from rolldeck.tui.models.details_sections import Section, sections
from tests.golden_kits import load_version

HOSTILE = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07"


def told(name: str, **facts: object) -> dict[str, Section]:
    """Return the sections of a golden version by title, with other facts where given."""
    version = load_version(name)
    return {
        item.title: item
        for item in sections(replace(version, facts=replace(version.facts, **facts)))  # type: ignore[arg-type]
    }


def lines(section: Section) -> list[str]:
    """Return a section unfolded."""
    return [line.text for line in section.lines(100)]


def test_weights_say_how_much_they_hold() -> None:
    """Folded in a few words, unfolded with what the header says beside its tensors."""
    found = told("facts-hf:v2")["Tensors"]
    assert found.brief == ("model.safetensors 216 parameters, 4 tensors, F32, F16",)
    assert "safetensors 216 parameters, 4 tensors, F32, F16" in lines(found)[0]


def test_large_weights_are_counted_as_people_do() -> None:
    """In millions and billions."""
    held = Weights("m/a.gguf", "GGUF", tensors=(Tensor("w", (7_241_000, 1000), "Q4_K"),))
    assert told("facts-hf:v1", weights=(held,))["Tensors"].brief == (
        "a.gguf 7.24 B parameters, 1 tensor, Q4_K",
    )


def test_a_header_that_was_not_read_says_so() -> None:
    """No count is made up."""
    held = Weights("m.onnx", "ONNX", notice="malformed: ends early")
    found = told("facts-hf:v1", weights=(held,))["Tensors"]
    assert found.brief == ("m.onnx malformed: ends early",)
    assert "malformed: ends early" in lines(found)[0]


def test_pickles_are_counted_and_never_judged() -> None:
    """What comes from outside of known packages is named."""
    held = Pickle("m.pkl", imports=("os.system", "sklearn.svm.SVC"), libraries=(("numpy", "2"),))
    found = told("facts-hf:v1", pickles=(held,))["Pickles"]
    assert found.brief == ("imports 2 globals, 1 outside known ML packages",)
    assert any("os.system" in line for line in lines(found))
    assert "safe" not in "".join(lines(found)).replace("safetensors", "")


def test_the_signature_with_architecture_and_tokenizer() -> None:
    """As ``show`` prints it."""
    assert any(
        line.startswith("input ") for line in lines(told("facts-mlflow:v1.0.0")["Signature"])
    )
    assert told("facts-hf:v1")["Signature"].count > 0


def test_what_a_version_does_not_have_takes_no_line() -> None:
    """No empty sections."""
    empty = Facts()
    found = told("facts-dvc:v1", weights=(), pickles=(), signature=None, architecture=(),
                 tokenizer=empty.tokenizer)  # fmt: skip
    assert not {"Tensors", "Pickles", "Signature"} & set(found)


def test_text_of_versions_is_inert() -> None:
    """In every section."""
    held = Weights(HOSTILE, "GGUF", metadata={HOSTILE: HOSTILE}, notice=HOSTILE)
    pickle = Pickle(HOSTILE, imports=(HOSTILE,), libraries=((HOSTILE, HOSTILE),), notice=HOSTILE)
    found = told("facts-hf:v1", weights=(held,), pickles=(pickle,), signature=((HOSTILE, HOSTILE),))
    for title in ("Tensors", "Pickles", "Signature"):
        section = found[title]
        assert not any("\x1b" in text for text in (*section.brief, *lines(section)))
        assert all(line.width <= 100 for line in section.lines(100))
