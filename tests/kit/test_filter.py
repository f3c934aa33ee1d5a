"""Filters follow kit's grammar; the cases of ``ParseFilter`` and of its matching are kit's own."""

from __future__ import annotations

import pytest

from rolldeck.errors import UsageError
from rolldeck.kit.filter import (
    filter_of,
    is_wanted,
    lending_filters,
    parse_filter,
    wants_kitfile,
)


@pytest.mark.parametrize(
    ("text", "types", "ids"),
    [
        ("model", ("model",), ()),
        ("model:llama-7b,gpt-3", ("model",), ("llama-7b", "gpt-3")),
        ("model,datasets,code", ("model", "datasets", "code"), ()),
        ("datasets:training-data,validation", ("datasets",), ("training-data", "validation")),
        ("docs:./README.md", ("docs",), ("./README.md",)),
        ("kitfile:whatever", ("kitfile",), ("whatever",)),
        ("prompts", ("prompts",), ()),
    ],
)
def test_parsing(text: str, types: tuple[str, ...], ids: tuple[str, ...]) -> None:
    found = parse_filter(text)
    assert (found.types, found.ids, str(found)) == (types, ids, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":a,b",
        "invalidtype",
        "model:a:b",
        "model,",
        "Model",
        "model, code",
        "modelpart",
        "\x1b[m",
    ],
)
def test_what_kit_refuses(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(text)
    assert caught.value.message.isprintable()
    assert "datasets" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "kind", "name", "path", "wanted"),
    [
        ("prompts:docx", "prompt", "docx", "skills/docx", True),
        ("prompts:skills/docx", "prompt", None, "skills/docx", True),
        ("prompts:xlsx", "prompt", "docx", "skills/docx", False),
        ("code", "prompt", None, "p", False),
        ("model", "modelpart", "adapter", "a.bin", True),
        ("model:adapter", "modelpart", "adapter", "a.bin", True),
        ("model:adapter", "model", "base", "m.bin", False),
        ("docs:README.md", "docs", None, "./README.md", False),
        ("docs:./README.md", "docs", None, "./README.md", True),
        ("code:src", "code", "src", "lib", False),
        ("datasets:DATA", "dataset", "data", "data", False),
        ("datasets:data*", "dataset", "data", "data.bin", False),
        ("model,code:x", "code", None, "x", True),
        ("datasets:", "dataset", None, "x", True),
        ("datasets:", "dataset", "named", "x", False),
        ("mcpservers:tool", "mcpb", "tool", "t.mcpb", True),
        ("kitfile", "model", "kitfile", "kitfile", False),
        ("model", "other", None, None, False),
    ],
)
def test_matching(text: str, kind: str, name: str | None, path: str | None, wanted: bool) -> None:
    assert is_wanted([parse_filter(text)], kind, name, path) is wanted


def test_several_are_alternatives_and_none_means_all() -> None:
    filters = [parse_filter("model"), parse_filter("datasets:validation")]
    assert is_wanted(filters, "dataset", "validation", "v")
    assert not is_wanted(filters, "dataset", "train", "t")
    assert is_wanted((), "other")
    assert wants_kitfile(())
    assert not wants_kitfile(filters)
    assert wants_kitfile([parse_filter("code,kitfile:nobody")])


def test_of_a_lending_kit_only_the_model_is_wanted() -> None:
    assert lending_filters(()) == ()
    assert lending_filters([parse_filter("code"), parse_filter("docs")]) is None
    found = lending_filters([parse_filter("model,code:a"), parse_filter("docs")])
    assert found == (parse_filter("model:a"),)


def test_the_filter_of_an_element_takes_it() -> None:
    found = filter_of("modelpart", "adapter", "./a.bin")
    assert found is not None
    assert found.takes("modelpart", "adapter", "./a.bin")
    assert filter_of("other", "x", "x") is None
