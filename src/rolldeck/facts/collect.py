"""From a kit and its small text files to ``Facts``: which sources there are, strongest first.

A new source is one reader in a file of its own and one line: in ``readers`` where it is a file of
the version, else in ``collect``.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rolldeck.facts import run_record
from rolldeck.facts.architecture import read_architecture
from rolldeck.facts.data_layers import Members, read_data_layers
from rolldeck.facts.declared import read_annotations, read_config, read_elements
from rolldeck.facts.document import mapping
from rolldeck.facts.dvc_declared import read_declared
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.mlflow_provenance import read_mlflow_provenance
from rolldeck.facts.model import Facts, Parameter
from rolldeck.facts.package_versions import is_pinned
from rolldeck.facts.parameters import read_parameters
from rolldeck.facts.pickles import Pickle
from rolldeck.facts.precedence import merge
from rolldeck.facts.readers import is_known, read_files
from rolldeck.facts.tensors import TensorHeader
from rolldeck.facts.weights import INDEX_SUFFIX, Weights, read_weights
from rolldeck.kit.model import Kit, Layer
from rolldeck.oci import Digest

_READ_KINDS = ("code", "docs", "prompt")


def collect(
    kit: Kit,
    files: Mapping[str, bytes],
    members: Members | None = None,
    unread: Sequence[Layer] | None = None,
    heads: Mapping[str, TensorHeader] | None = None,
    pickles: Sequence[Pickle] = (),
    looked: Container[Digest] = (),
) -> Facts:
    """Return all that a version says of itself, each fact with its source; never raises.

    ``files`` are the small files of the layers by path, ``members`` the digests of all files of a
    layer by its digest. ``unread`` are the layers that were not looked into (all of them where
    there are no files and it is not given); ``Facts.missing`` says what that leaves unknown.
    ``heads`` are the headers of weights that are not among the files, ``pickles`` what was read of
    pickles in a process of their own, ``looked`` the digests of unread layers out of which all
    known files were read. In order of precedence: ``modelrun/run.json`` with the digest that the
    Kitfile names, the run record in the Kitfile, MLflow provenance, the free-form parameters, files
    that training tools leave, Kitfile and ModelPack config, standard annotations.
    """
    parameters = kit.parameters
    free_form = mapping(parameters)
    sources = [
        *_run_records(free_form.get("modelrun"), files),
        read_mlflow_provenance(free_form.get("mlflow_provenance")),
        read_parameters(parameters),
        *read_files(files),
        *read_declared(files, is_known),
        _of_weights(read_weights(files, heads)),
        Facts(pickles=tuple(pickles)),
        read_data_layers(kit, files, members or {}),
        read_elements(kit),
        read_config(kit),
        read_annotations(kit),
    ]
    facts = merge([*sources, Facts(missing=tuple(_remarks(kit)))])
    facts = replace(facts, architecture=read_architecture(facts.parameters, facts.weights))
    if unread is None:
        unread = () if files else kit.layers
    unknown = (*_incomplete(facts), *_unread(unread, looked, facts))
    return replace(facts, missing=(*facts.missing, *unknown))


def is_wanted(kit: Kit) -> Callable[[str], bool]:
    """Return what tells whether a file by some path is worth reading by itself."""
    record = mapping(kit.parameters).get("modelrun")
    named = posixpath.normpath(run_record.full_record(record)[0] or run_record.FILE)

    def wanted(path: str) -> bool:
        known = is_known(path) or path.casefold().endswith(INDEX_SUFFIX)
        return known or posixpath.normpath(path) == named

    return wanted


def _of_weights(found: tuple[Weights, ...]) -> Facts:
    """Return the facts that headers of weights hold."""
    signed = next((item for item in found if item.signature is not None), None)
    remarks = [f"tensors: {item.path}: {item.notice}" for item in found if item.notice]
    return Facts(
        weights=found,
        signature=signed.signature if signed else None,
        signature_source=signed.path if signed else None,
        tokenizer=tuple(setting for item in found for setting in _tokenizer(item)),
        missing=tuple(remarks),
    )


_GGUF_TOKENIZER = {"model": "GGUF model", "pre": "GGUF pre-tokenizer", "tokens": "GGUF vocabulary"}


def _tokenizer(weights: Weights) -> Iterator[Parameter]:
    """Yield what a GGUF file says of the tokenizer in it."""
    for key, label in _GGUF_TOKENIZER.items():
        value = weights.metadata.get(f"tokenizer.ggml.{key}")
        if value is not None:
            count = value.removesuffix(" items")
            whole = key == "tokens" and count.isdecimal()
            yield Parameter(label, int(count) if whole else value, weights.path)


def _run_records(record: Any, files: Mapping[str, bytes]) -> Iterator[Facts]:
    """Yield the full record where its digest is right, then the one in the Kitfile."""
    path, sha256 = run_record.full_record(record)
    place = _find(files, path or run_record.FILE)
    if place is not None and (sha256 is not None or record is None):
        data = files[place]
        if record is not None and hashlib.sha256(data).hexdigest() != sha256:
            yield Facts(
                missing=(
                    f"conflict: {run_record.FILE} has another sha256 than {run_record.SOURCE}"
                    " names; it was not used",
                )
            )
        else:
            yield _full_record(data)
    elif sha256 is not None and files:
        yield Facts(missing=(f"{run_record.FILE}: not in the layers that were read",))
    if record is not None:
        yield run_record.read_run_record(record, run_record.SOURCE)


def _full_record(data: bytes) -> Facts:
    try:
        document = load_json(data)
    except UnreadableFile as error:
        return Facts(missing=(f"{run_record.FILE}: {error}",))
    return run_record.read_run_record(document, run_record.FILE)


def _find(files: Mapping[str, bytes], path: str) -> str | None:
    wanted = posixpath.normpath(path)
    return next((found for found in files if posixpath.normpath(found) == wanted), None)


def _remarks(kit: Kit) -> Iterator[str]:
    if not kit.unpackable:
        yield f"facts: this is no ModelKit or ModelPack but {_article(kit.kind)}"
    elif kit.kitfile is None:
        yield "Kitfile: there is none"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _incomplete(facts: Facts) -> Iterator[str]:
    """Say what the list of packages leaves open."""
    packages, stated = facts.packages, facts.completeness
    if stated is None or facts.packages_complete:
        return
    loose = sum(not is_pinned(item.value) for item in packages)
    if loose:
        held = f"leaves {loose} of {len(packages)} without one version,"
    else:
        held = f"holds {len(packages)} {'inferred ones' if stated == 'inferred' else 'pins'},"
    yield f"packages: {packages[0].source} {held} what they depend on is unknown"


def _unread(unread: Sequence[Layer], looked: Container[Digest], facts: Facts) -> Iterator[str]:
    """Say what stays unknown because the layers that could tell were not read."""
    closed = [layer for layer in unread if layer.digest not in looked]
    directories = {layer.kind for layer in closed if layer.path and not _is_file(layer.path)}
    if "model" in directories and facts.signature is None:
        yield "signature: the model layer was not read"
    kinds = {layer.kind for layer in unread}
    waiting = [kind for kind in _READ_KINDS if kind in kinds]
    if not waiting:
        return
    layers = " and ".join(waiting)
    verb = f"the {layers} layer{'s were' if len(waiting) > 1 else ' was'} not read"
    if any(layer.kind in waiting for layer in closed):
        if not facts.packages:
            yield f"packages: {verb}"
        if not facts.metrics:
            yield f"metrics: {verb}"
    yield f"code: {verb}"


def _is_file(path: str) -> bool:
    """Whether a path ends as a file's does: no other file lies beside weights of that name."""
    return bool(posixpath.splitext(posixpath.normpath(path))[1])
