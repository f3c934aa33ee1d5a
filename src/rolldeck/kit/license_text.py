"""Which licence a text is, as an SPDX identifier.

A handful of phrases for the licences that models and their code come under; the licence scanners
for Python bring a database of thousands of texts and seconds of start-up.
"""

from __future__ import annotations

import re

_PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Apache-2.0", ("apache license", "version 2.0")),
    ("AGPL-3.0", ("gnu affero general public license", "version 3")),
    ("LGPL-3.0", ("gnu lesser general public license", "version 3")),
    ("LGPL-2.1", ("gnu lesser general public license", "version 2.1")),
    ("GPL-3.0", ("gnu general public license", "version 3")),
    ("GPL-2.0", ("gnu general public license", "version 2")),
    ("MPL-2.0", ("mozilla public license", "2.0")),
    ("CC-BY-NC-SA-4.0", ("attribution-noncommercial-sharealike 4.0",)),
    ("CC-BY-NC-ND-4.0", ("attribution-noncommercial-noderivatives 4.0",)),
    ("CC-BY-NC-4.0", ("attribution-noncommercial 4.0",)),
    ("CC-BY-SA-4.0", ("attribution-sharealike 4.0",)),
    ("CC-BY-ND-4.0", ("attribution-noderivatives 4.0",)),
    ("CC-BY-4.0", ("attribution 4.0 international",)),
    ("CC0-1.0", ("cc0 1.0",)),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    ("BSL-1.0", ("boost software license", "version 1.0")),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software for any purpose",)),
    ("MIT", ("permission is hereby granted, free of charge", "the above copyright notice")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
)
"""In this order: a licence that quotes another's words stands before it."""


def license_of_text(head: bytes) -> str | None:
    """Return the SPDX identifier of the licence that a text begins with, None where unknown."""
    text = re.sub(r"\s+", " ", head.decode("utf-8", errors="ignore")).lower()
    for identifier, phrases in _PHRASES:
        if all(phrase in text for phrase in phrases):
            return identifier
    return None


def spdx(name: str) -> str:
    """Return a licence's name in the letter case of SPDX; other names stay as they are."""
    # Imported late: the list of all licences is only needed where a card names one.
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return name
