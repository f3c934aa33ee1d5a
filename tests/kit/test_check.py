"""Checking a Kitfile: every mistake, with its place and what was probably meant."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rolldeck.errors import UsageError
from rolldeck.kit.check import check_kitfile
from rolldeck.kit.finding import Finding
from rolldeck.kit.kitfile import read_kitfile
from rolldeck.progress import Progress
from tests.conftest import TORTURE
from tests.kit.golden_kits import unpack_context
from tests.kit.layouts import LFS, lay_out

HEAD = "manifestVersion: 1.0.0\npackage:\n  name: x\n"
FILES: dict[str, str | bytes] = {
    "model.onnx": "x",
    "src/a.py": "x",
    "src/deep/b.py": "x",
    "data/rows.csv": "x",
    "README.md": "x",
}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A directory with a few files."""
    return lay_out(tmp_path / "kit", FILES)


def check(context: Path, text: str) -> list[Finding]:
    """What is found in a Kitfile of this text, without what is only told."""
    found = check_kitfile(text.encode(), context, Progress())
    return [item for item in found if item.severity != "info"]


def only(context: Path, text: str) -> str:
    """The one finding, as ``LINE:COLUMN severity message; hint``."""
    (found,) = check(context, text)
    hint = f"; {found.hint}" if found.hint else ""
    return f"{found.line}:{found.column} {found.severity} {found.message}{hint}"


def test_a_sound_kitfile(context: Path) -> None:
    text = HEAD + (
        "model: {path: model.onnx}\ncode: [{path: src}]\ndatasets: [{path: ./data/}]\n"
        "docs: [{path: README.md}]\n"
    )
    assert check_kitfile(text.encode(), context, Progress()) == ()


# The text.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "1:1 error the file is empty"),
        ("# only this\n", "1:1 error the file is empty"),
        ("- x\n", "1:1 error the Kitfile must be a mapping"),
        ("just text\n", "1:1 error the Kitfile must be a mapping"),
        (HEAD + "model:\n\tpath: x\n", "5:1 error found character that cannot start any token"),
        (HEAD + "model:\n  path: a: b\n", "5:10 error mapping values are not allowed"),
        ("a: \x07\n", "1:4 error not YAML: the character U+0007"),
        (HEAD + "docs: [{path: README.md}]\n---\nx: 1\n", "5:1 error a second document"),
    ],
)
def test_text_that_is_no_kitfile(context: Path, text: str, found: str) -> None:
    first = next(item for item in check(context, text) if item.severity == "error")
    assert f"{first.line}:{first.column} error {first.message}".startswith(found)


def test_not_utf8(context: Path) -> None:
    (found,) = check_kitfile(b"a: 1\nbc: \xff\n", context, Progress())
    assert (found.line, found.column, found.message) == (2, 5, "not UTF-8 text")


def test_hints_for_errors_of_syntax(context: Path) -> None:
    """What a person did who gets the parser's words."""
    for text, hint in (
        ("model:\n\tpath: x\n", "not with a tab"),
        ("a: b: c\n", "in quotes"),
        ("model:\n  path: x\n name: y\n", "same column"),
        ('a: "x\n', "not closed"),
    ):
        assert any(hint in (item.hint or "") for item in check(context, text)), text


def test_what_stands_before_an_error_of_syntax_is_checked_too(context: Path) -> None:
    found = check(context, HEAD + "modle: {}\ncode:\n  - path: srcs\n  path: x\n")
    assert [(item.line, item.severity) for item in found] == [
        (4, "error"),
        (6, "error"),
        (7, "error"),
    ]


def test_anchors_merge_keys_and_tags(context: Path) -> None:
    """kit packs them; each is told, and values that they stand for are not called missing."""
    text = HEAD + (
        "model: &m\n  path: model.onnx\n  parameters: {<<: {a: 1}, b: !x y}\n"
        "code:\n  - <<: {path: src}\n  - *m\n"
    )
    found = check(context, text)
    assert [(item.line, item.column) for item in found] == [
        (4, 8),
        (6, 16),
        (6, 31),
        (8, 5),
        (9, 5),
    ]
    assert all(item.severity == "error" for item in found)
    assert found[0].hint == "kit reads them, rolldeck does not: write the value out."


# Fields.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            HEAD + "modle: {}\n",
            '4:1 error unknown field "modle" in the Kitfile; Did you mean "model"?',
        ),
        (
            HEAD + "  licence: MIT\n",
            '4:3 error unknown field "licence" in package; Did you mean "license"?',
        ),
        (
            HEAD + "  Version: 1\n",
            '4:3 error unknown field "Version" in package; Did you mean "version"?',
        ),
        (
            HEAD + "  framework: x\n",
            '4:3 error unknown field "framework" in package; It belongs in model.',
        ),
        (
            HEAD + "dataset: []\n",
            '4:1 error unknown field "dataset" in the Kitfile; Did you mean "datasets"?',
        ),
        (
            HEAD + "docs:\n  - path: README.md\n    digest: x\n",
            '6:5 error unknown field "digest" in an element of docs; '
            "kit writes it into the packed config; leave it out here.",
        ),
        (
            HEAD + "  zzz: 1\n",
            '4:3 error unknown field "zzz" in package; '
            "Known here: name, version, description, license, authors.",
        ),
        (
            HEAD + "  name: y\n",
            "4:3 error the key name stands already in line 3; "
            "Keep one of them; for two elements of a kind, make a list of them.",
        ),
        (HEAD + "  authors: Ada\n", "4:12 error authors must be a list; Write [Ada]"),
        (HEAD + "  authors: [[Ada]]\n", "4:13 error authors must be a list of texts"),
        (HEAD + "  version: [1]\n", "4:12 error version must be text"),
        (HEAD + "code: src\n", "4:7 error code must be a list; Write '- path: src'"),
        (
            HEAD + "code: {path: src}\n",
            "4:7 error code must be a list; Begin each element with '- '.",
        ),
        (
            HEAD + "code: [src]\n",
            "4:8 error an element of code must be a mapping; Write path: src",
        ),
        (
            HEAD + "model: [{path: model.onnx}]\n",
            "4:8 error model must be a mapping; There is one model; further weights are its parts.",
        ),
        (
            HEAD + "code: [{path: [src, data]}]\n",
            "4:15 error path must be text; One element has one path; make an element of each.",
        ),
        (
            HEAD + "code:\n  - path: src\n  -\n",
            "6:4 warning an empty element in code; it is passed over; "
            "Give it a path, or remove it.",
        ),
        (
            HEAD + "mcpServers: [{name: x, path: x.mcpb}]\n",
            "4:1 error mcpServers cannot be packed; Use kit for MCP bundles.",
        ),
        (
            HEAD + "model:\n  path: model.onnx\n  parameters: {a: 017, b: '017', c: 0}\n",
            "6:19 warning 017 is read as an octal number: 15; "
            "Put it in quotes to keep it as it stands.",
        ),
        (
            HEAD
            + "model:\n  path: model.onnx\n  parameters: [9007199254740993, 9007199254740992]\n",
            "6:16 warning 9007199254740993 has more digits than kit keeps: "
            "it reads 9007199254740992; Put it in quotes to keep it as it stands.",
        ),
        (
            HEAD + "datasets:\n  - path: data\n    parameters: {a: .nan}\n",
            "6:21 error .nan: JSON has no such number; Put it in quotes.",
        ),
        (
            "manifestVersion: 1.0\npackage: {name: x}\n",
            "1:18 warning kit does not know the manifestVersion 1.0; Write manifestVersion: 1.0.0",
        ),
        (
            "package: {name: x}\n",
            "1:1 warning manifestVersion is missing; Write manifestVersion: 1.0.0",
        ),
    ],
)
def test_fields(context: Path, text: str, found: str) -> None:
    assert only(context, text) == found


@pytest.mark.parametrize(
    ("kind", "is_bad"),
    [("lora.v-1_x", False), ("a b", True), ("-a", True), ("x" * 64, False), ("x" * 65, True)],
)
def test_types_of_parts(context: Path, kind: str, is_bad: bool) -> None:
    text = f"{HEAD}model:\n  path: model.onnx\n  parts:\n    - {{path: src, type: {kind}}}\n"
    assert bool(check(context, text)) == is_bad


def test_a_package_without_name_is_only_told(context: Path) -> None:
    found = check_kitfile(b"manifestVersion: 1.0.0\ndocs: [{path: .}]\n", context, Progress())
    assert [(item.severity, item.message) for item in found] == [
        ("info", "package.name is missing")
    ]


# Paths.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "code: [{path: /etc/passwd}]",
            "4:15 error /etc/passwd cannot be packed: the name is absolute; Paths are relative to "
            "the Kitfile's directory and stay inside: copy it there.",
        ),
        (
            "code: [{path: ../x}]",
            "4:15 error ../x cannot be packed: the name leads outside; Paths are relative to the "
            "Kitfile's directory and stay inside: copy it there.",
        ),
        (
            "code: [{path: src/../data}]",
            "4:15 error src/../data cannot be packed: the name leads outside; Write data",
        ),
        (
            "code: [{path: src\\deep}]",
            "4:15 error src\\deep cannot be packed: the name holds a backslash or a control "
            "character; Write src/deep",
        ),
        (
            "docs: [{path: 'https://example.com/x'}]",
            "4:15 error https://example.com/x cannot be packed: addresses are not packed; "
            "Download it, and name the file.",
        ),
        (
            "docs: [{path: 'acme/fraud:v1'}]",
            "4:15 error acme/fraud:v1 cannot be packed: it reads as the name of another kit; Only "
            "the model may come from another kit; no file name may look like a kit's.",
        ),
        (
            "datasets: [{path: 's3://bucket/key'}]",
            "4:19 error s3://bucket/key cannot be packed: it lies elsewhere; "
            "Write it as remotePath, with its ETag as remoteHash.",
        ),
        (
            "model: {path: 'Ghcr.io/Acme/X:v1'}",
            "4:15 error Ghcr.io/Acme/X:v1 cannot be packed: it is neither a path nor the name of a "
            "kit; A kit is named host/repository:tag or host/repository@sha256:…, in lower case.",
        ),
        (
            "model: {name: x}",
            "4:1 warning the model has no path: no weights are packed; "
            "Name a file or directory, or another kit as host/repository:tag.",
        ),
        (
            "code: [{description: x}]",
            "4:8 warning this code element has no path: the whole directory is packed; "
            "Write path: . if that is meant.",
        ),
        (
            "code: [{path: src}]\ndocs: [{path: ./src/}]",
            "5:15 error src is already the path of the code in line 4; "
            "Give every element a path of its own.",
        ),
        (
            "prompts: [{path: src}, {path: src}]",
            "4:31 error src is already the path of the prompt in line 4; "
            "Give every element a path of its own.",
        ),
    ],
)
def test_paths(context: Path, text: str, found: str) -> None:
    assert only(context, HEAD + text + "\n") == found


def test_an_absolute_path_into_the_directory(context: Path) -> None:
    found = only(context, f"{HEAD}code: [{{path: {context}/src}}]\n")
    assert found.endswith("; Write src")


def test_a_model_from_another_kit(context: Path) -> None:
    """It is no path; a file of that name is."""
    text = HEAD + "model: {path: 'ghcr.io/acme/base:v1'}\n"
    assert check(context, text) == []
    (context / "base:v1").write_text("x")
    assert "4:15 warning base:v1 is read as the name" in only(
        context, HEAD + "model: {path: 'base:v1'}\n"
    )


def test_the_whole_directory_beside_a_model_without_a_path(context: Path) -> None:
    """kit counts such a model as the whole directory."""
    found = check(context, HEAD + "model: {name: x}\ncode: [{path: .}]\n")
    assert [item.line for item in found] == [4, 5]
    assert "kit refuses" in found[1].message


def test_nested_elements_are_told(context: Path) -> None:
    text = HEAD + "code: [{path: .}, {path: src}, {path: src/deep}]\n"
    found = check_kitfile(text.encode(), context, Progress())
    assert [item.message for item in found] == [
        "src/deep lies in src of line 4; it is packed here only"
    ]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("path: x, remotePath: 's3://b/k', remoteHash: h", []),
        ("path: x, remotePath: 's3://b/k?versionId=1', remoteHash: h", []),
        ("path: x, remotePath: 's3://b/k'", ["remoteHash is missing"]),
        ("path: data, remoteHash: h", ["remoteHash without remotePath"]),
        ("path: x, remotePath: 'https://b/k', remoteHash: h", ["https://b/k is no object in S3"]),
        ("path: x, remotePath: 's3://b', remoteHash: h", ["s3://b is no object in S3"]),
        (
            "path: x, remotePath: 'a/b:v1'",
            ["a/b:v1: only kit of 2026 takes a data set from another kit"],
        ),
        (
            "remotePath: 's3://b/k', remoteHash: h",
            ["this data set has no path: it would replace everything"],
        ),
    ],
)
def test_data_that_lies_elsewhere(context: Path, fields: str, found: list[str]) -> None:
    messages = [item.message for item in check(context, f"{HEAD}datasets: [{{{fields}}}]\n")]
    assert messages == found


# Files.


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("readme.md", 'Did you mean "README.md"?'),
        ("sorc", 'Did you mean "src"?'),
        ("src/deeper/b.py", 'Did you mean "src/deep/b.py"?'),
        ("rows.csv", 'Did you mean "data/rows.csv"?'),
        ("data/*.csv", "Patterns are not expanded: name the directory, or each file."),
        ("quite-another", None),
    ],
)
def test_missing_files(context: Path, path: str, hint: str | None) -> None:
    (found,) = check(context, f"{HEAD}code: [{{path: '{path}'}}]\n")
    assert (found.line, found.column, found.message) == (4, 15, f"{path} does not exist")
    assert found.hint == hint


def test_links_and_special_files(context: Path) -> None:
    """As an element they are mistakes, inside one they are told."""
    (context / "weights.bin").symlink_to("model.onnx")
    (context / "gone").symlink_to("nowhere")
    os.mkfifo(context / "src" / "pipe")
    (context / "src" / "link").symlink_to("a.py")
    text = (
        HEAD + "model: {path: weights.bin}\ncode: [{path: src}, {path: gone}, {path: src/pipe}]\n"
    )
    found = check(context, text)
    assert [(item.line, item.column, item.severity) for item in found] == [
        (4, 15, "error"),
        (5, 15, "warning"),
        (5, 28, "error"),
        (5, 42, "error"),
    ]
    assert found[1].message == "left out of src: src/link: symbolic links are not packed"
    assert found[2].hint == "It points nowhere."


def test_kitignore_that_hides_an_element(context: Path) -> None:
    (context / ".kitignore").write_text("# x\n*.onnx\nsrc/**\n")
    found = check(context, HEAD + "model: {path: model.onnx}\ncode: [{path: src}]\n")
    assert [item.message for item in found] == [
        "model.onnx is hidden by *.onnx in line 2 of .kitignore",
        "src holds nothing to pack",
    ]


def test_bad_patterns_have_their_own_place(context: Path) -> None:
    (context / ".kitignore").write_text("ok\na[\n")
    (found,) = check(context, HEAD + "docs: [{path: README.md}]\n")
    assert (found.file, found.line, found.severity) == (".kitignore", 2, "error")


def test_empty_elements(context: Path) -> None:
    (context / "empty" / "inside").mkdir(parents=True)
    assert only(context, HEAD + "code: [{path: empty}]\n") == (
        "4:15 warning empty holds nothing to pack"
    )


def test_a_kitfile_is_no_element(context: Path) -> None:
    (context / "Kitfile").write_text("x")
    assert "belongs to no layer" in only(context, HEAD + "docs: [{path: Kitfile}]\n")


def test_what_kit_would_drop(context: Path) -> None:
    """Names with two dots, and names that begin with the path of another element."""
    (context / "src" / "a..b.py").write_text("x")
    (context / "data.md").write_text("x")
    found = check(context, HEAD + "code: [{path: .}, {path: src}]\ndatasets: [{path: data}]\n")
    assert [item.message for item in found] == [
        "kit would drop data.md of the whole directory",
        "kit would drop src/a..b.py of src",
    ]


def test_what_does_not_belong_into_a_kit(context: Path) -> None:
    """Secrets and heavy directories, with the pattern that hides them."""
    for path in (".env", "certs/server.pem", ".git/HEAD", "venv/a", "src/__pycache__/a.pyc"):
        (context / path).parent.mkdir(exist_ok=True)
        (context / path).write_text("x")
    found = check(context, HEAD + "code: [{path: .}]\n")
    assert sorted((item.message, item.hint) for item in found) == [
        (
            "the whole directory packs .env, certs/server.pem: may hold secrets",
            "Add to .kitignore: **/.env, **/server.pem",
        ),
        ("the whole directory packs .git: version control", "Add to .kitignore: **/.git"),
        (
            "the whole directory packs src/__pycache__: a cache",
            "Add to .kitignore: **/__pycache__",
        ),
        (
            "the whole directory packs venv: a virtual environment; requirements say how to make "
            "it again",
            "Add to .kitignore: **/venv",
        ),
    ]
    (context / ".kitignore").write_text("**/.env\n**/*.pem\n**/.git\n**/venv\n**/__pycache__\n")
    assert check(context, HEAD + "code: [{path: .}]\n") == []


def test_what_operating_systems_and_editors_leave(context: Path) -> None:
    """What a pack leaves out is told as such; for the rest, the pattern that hides it."""
    litter = ("a.py~", ".#a.py", "#a.py#", "~$a.docx", ".~lock.a.odt#", ".a.py.swp")
    for name in (".DS_Store", "Thumbs.db", "._a.py", *litter):
        (context / "src" / name).write_text("x")
    (context / "src" / ".AppleDouble").mkdir()
    (context / "src" / ".AppleDouble" / "a").write_text("x")
    (context / "src" / ".idea").mkdir()
    (context / "src" / ".idea" / "a.xml").write_text("x")
    found = check(context, HEAD + "code: [{path: src}]\n")
    system = "left there by an operating system; it is no part of a kit"
    assert sorted(item.message for item in found if item.severity == "warning") == [
        f"left out of src: src/.AppleDouble, src/.DS_Store, src/Thumbs.db: {system}",
        "src packs src/#a.py#, src/.#a.py, src/.a.py.swp and 3 more: left there by an editor",
        f"src packs src/._a.py: {system}",
        "src packs src/.idea: settings of an editor",
    ]
    hidden = "".join(f"**/{name}\n" for name in ("._a.py", ".idea", *litter))
    (context / ".kitignore").write_text(hidden + "**/.DS_Store\n**/Thumbs.db\n**/.AppleDouble\n")
    assert check(context, HEAD + "code: [{path: src}]\n") == []


def test_an_element_that_is_litter_was_meant(context: Path) -> None:
    (context / "desktop.ini").write_text("x")
    assert check(context, HEAD + "docs: [{path: desktop.ini}]\n") == []


def test_pointers_of_git_lfs(context: Path) -> None:
    (context / "model.onnx").write_bytes(LFS)
    assert only(context, HEAD + "model: {path: model.onnx}\n") == (
        "4:15 warning model.onnx: a pointer of Git LFS, not the content; Fetch it: git lfs pull"
    )


def test_what_lies_in_no_element_is_told(context: Path) -> None:
    """Directories stand for their files; nothing where an element is wrong anyway."""
    found = check_kitfile((HEAD + "code: [{path: src/deep}]\n").encode(), context, Progress())
    assert [item.message for item in found] == [
        "in no element, so not packed: README.md, data/, model.onnx and 1 more"
    ]
    wrong = check_kitfile((HEAD + "code: [{path: srcc}]\n").encode(), context, Progress())
    assert [item.severity for item in wrong] == ["error"]


def test_all_mistakes_are_told_in_order(context: Path) -> None:
    """Not only the first, and each once."""
    text = (
        "manifestVersion: 1\npackage:\n  nname: x\nmodel:\n  path: model.onx\n"
        "code:\n  - path: ../up\n  - path: src\n  - path: src\ndatasets:\n  path: data\n"
    )
    found = check(context, text)
    assert [(item.line, item.severity) for item in found] == [
        (1, "warning"),
        (3, "error"),
        (5, "error"),
        (7, "error"),
        (9, "error"),
        (11, "error"),
    ]
    assert found == sorted(found, key=lambda item: (item.line, item.column))


def test_hostile_text_is_made_safe(context: Path) -> None:
    found = check(context, HEAD + '"m\\x1b[31m\\u202e": 1\n')
    assert "\x1b" not in found[0].message
    assert "\u202e" not in found[0].message


@pytest.mark.parametrize(
    "name",
    ["era", "odd-context", "odd-dup", "odd-empty", "odd-model-only", "odd-names", "odd-params"],
)
def test_what_kit_packed_holds_no_mistake(tmp_path: Path, name: str) -> None:
    """The contexts of real kits."""
    context = unpack_context(name, tmp_path)
    found = check_kitfile((context / "Kitfile").read_bytes(), context, Progress())
    assert [item for item in found if item.severity == "error"] == []


_PIECES = (
    b"\n",
    b"  ",
    b"- ",
    b": ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!x ",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"path",
    b"\t",
    b"#",
    b"~",
    b"|",
    b"---\n",
    b"\x00",
    b"\xff",
    b"017",
    b"remotePath: s3://a/b",
)
_TEXT = (
    HEAD + "model:\n  path: model.onnx\n  parts:\n    - path: src\n      type: a\n"
    "  parameters: {a: 1, b: [x]}\ndatasets:\n  - path: data\n    remotePath: s3://a/b\n"
).encode()


def test_any_bytes_are_checked(context: Path) -> None:
    """No text crashes the check, and none that the reader refuses is found sound."""
    chance = random.Random(7)
    for _ in range(300 * TORTURE):
        data = bytearray(_TEXT)
        for _ in range(chance.randint(1, 6)):
            start = chance.randrange(len(data))
            data[start : start + chance.choice((0, 0, 1, 3, 20))] = chance.choice(_PIECES)
        found = check_kitfile(bytes(data), context, Progress())
        assert all(item.line >= 1 and item.column >= 1 for item in found)
        try:
            read_kitfile(bytes(data))
        except UsageError:
            assert any(item.severity == "error" for item in found), bytes(data)
