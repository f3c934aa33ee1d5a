"""References: every form of the contract, and nothing else."""

from __future__ import annotations

import pytest

from rolldeck.errors import UsageError
from rolldeck.oci import Place, Reference

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "place", "root", "repository", "tag", "digest"),
    [
        ("fraud", Place.LIBRARY, "", "fraud", None, None),
        ("fraud:v1", Place.LIBRARY, "", "fraud", "v1", None),
        ("acme/fraud:latest", Place.LIBRARY, "", "acme/fraud", "latest", None),
        (f"fraud@{DIGEST}", Place.LIBRARY, "", "fraud", None, DIGEST),
        (f"fraud:v1@{DIGEST}", Place.LIBRARY, "", "fraud", "v1", DIGEST),
        ("ghcr.io/acme/fraud:v2.4.0", Place.REGISTRY, "ghcr.io", "acme/fraud", "v2.4.0", None),
        ("localhost:5000/fraud", Place.REGISTRY, "localhost:5000", "fraud", None, None),
        ("127.0.0.1:5000/a/b:x", Place.REGISTRY, "127.0.0.1:5000", "a/b", "x", None),
        ("ghcr.io/", Place.REGISTRY, "ghcr.io", "", None, None),
        ("localhost:5000/", Place.REGISTRY, "localhost:5000", "", None, None),
        ("local:ghcr.io/acme/fraud:v2", Place.LIBRARY, "", "ghcr.io/acme/fraud", "v2", None),
        ("local:fraud:v2", Place.LIBRARY, "", "fraud", "v2", None),
        ("oci:/srv/kits", Place.LAYOUT, "/srv/kits", "", None, None),
        ("oci:./kits:v1", Place.LAYOUT, "./kits", "", "v1", None),
        (f"oci:kits@{DIGEST}", Place.LAYOUT, "kits", "", None, DIGEST),
        ("oci:/srv/kits//acme/fraud:v1", Place.LAYOUT, "/srv/kits", "acme/fraud", "v1", None),
        ("oci:/srv/kits//acme/fraud", Place.LAYOUT, "/srv/kits", "acme/fraud", None, None),
        ("oci:/srv/my kits:v1", Place.LAYOUT, "/srv/my kits", "", "v1", None),
        ("kit:", Place.KIT, "", "", None, None),
        ("kit:fraud", Place.KIT, "", "fraud", None, None),
        ("kit:acme/fraud:v1", Place.KIT, "", "acme/fraud", "v1", None),
        ("kit:ghcr.io/acme/fraud:v1", Place.KIT, "", "ghcr.io/acme/fraud", "v1", None),
        (f"kit:127.0.0.1:5000/a@{DIGEST}", Place.KIT, "", "127.0.0.1:5000/a", None, DIGEST),
        (f"kit:{DIGEST}", Place.KIT, "", "", None, DIGEST),
        ("local:kit:v1", Place.LIBRARY, "", "kit", "v1", None),
    ],
)
def test_each_form_is_parsed(
    text: str, place: Place, root: str, repository: str, tag: str | None, digest: str | None
) -> None:
    """The parts are what the contract says."""
    found = Reference.parse(text)
    assert (found.place, found.root, found.repository, found.tag, found.digest) == (
        place,
        root,
        repository,
        tag,
        digest,
    )


@pytest.mark.parametrize(
    "text",
    [
        "fraud:v1",
        f"fraud:v1@{DIGEST}",
        "ghcr.io/acme/fraud:v2",
        "local:ghcr.io/acme/fraud:v2",
        "oci:/srv/kits:v1",
        "oci:/srv/kits//acme/fraud:v1",
        "localhost:5000/fraud:v1",
        "kit:fraud:v1",
        "kit:ghcr.io/acme/fraud:v1",
        f"kit:@{DIGEST}",
        "local:kit:v1",
        "local:oci",
    ],
)
def test_a_reference_prints_as_it_is_typed(text: str) -> None:
    """What is printed can be typed again."""
    assert str(Reference.parse(text)) == text
    assert Reference.parse(str(Reference.parse(text))) == Reference.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " fraud",
        "Fraud",
        "fraud:",
        "fraud:a b",
        "fraud:" + "x" * 129,
        "fraud@sha256:abc",
        f"fraud@{DIGEST[:-1]}",
        f"fraud@{DIGEST}\n",
        "fraud@md5:" + "0" * 32,
        "../x:y",
        "a//b",
        "ghcr.io/../x",
        "http://ghcr.io/acme/fraud",
        "ghcr.io:99999999/x",
        "oci:",
        "kit:ghcr.io/",
        "kit:Fraud:v1",
        "kit:oci:/srv/kits:v1",
        "mlflow:models/x/1",
        "fraud:\x1b]52;c;eA==\x07",
    ],
)
def test_a_bad_reference_is_a_usage_error(text: str) -> None:
    """Bad input is refused with exit code 2, and its control characters do not reach the screen."""
    with pytest.raises(UsageError) as caught:
        Reference.parse(text)
    assert caught.value.code == 2
    assert "\x1b" not in caught.value.message + (caught.value.reference or "")


def test_a_plain_name_never_leads_to_a_directory() -> None:
    """Names out of artifacts have no schemes: ``oci:`` is a repository of that name."""
    plain = Reference.parse_plain("oci:v1")
    assert (plain.place, plain.repository, plain.tag) == (Place.LIBRARY, "oci", "v1")
    assert Reference.parse_plain("ghcr.io/acme/base:v1").place is Place.REGISTRY
    for text in ("oci:/srv/kits", "kit:a:b", "s3://bucket/key", "a b:c", "a\x1b:c"):
        with pytest.raises(UsageError):
            Reference.parse_plain(text)
