"""``environment.yml``, the ``conda.yaml`` of MLflow, and ``conda env export``."""

from __future__ import annotations

from rolldeck.facts.conda_spec import read_spec
from rolldeck.facts.document import entries, items, mapping, name, text
from rolldeck.facts.load import UnreadableFile, load_yaml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import UNPINNED, Package, PackageList, listed, unreadable
from rolldeck.facts.requirements import read_requirements
from rolldeck.facts.variables import variable_facts
from rolldeck.text import clean_line


def read(path: str, data: bytes) -> Facts:
    """Return packages, Python version, channels and variables; the prefix stays unread.

    A file in which every conda package has its build is an export of what is installed.
    """
    try:
        document = mapping(load_yaml(data, as_text=True))
    except UnreadableFile as error:
        return unreadable(path, error)
    if not isinstance(document.get("dependencies"), list):
        return unreadable(path, "holds no list of dependencies")
    packages: list[Package] = []
    python = requires = None
    indexes: list[str] = []
    built, unread = True, 0
    for item in items(document["dependencies"]):
        if isinstance(item, dict):
            found = read_requirements(str(line) for line in items(item.get("pip")))
            packages += [Package(each.name, each.version, each.where) for each in found.packages]
            unread += len(found.unread)
            indexes += found.indexes
            continue
        spec = read_spec(str(item))
        if spec is None:
            unread += 1
            continue
        package, has_build = spec
        built = built and has_build
        if package.name != "python":
            packages.append(package)
        elif package.version[:1].isdigit():
            python = package.version
        elif package.version != UNPINNED:
            requires = package.version
    source = clean_line(path)
    stated = listed(item.version for item in packages)
    channels = [name(item) or "" for item in items(document.get("channels"))]
    facts = PackageList(
        source,
        "freeze" if built and stated == "pins" else stated,
        packages,
        indexes=[*filter(None, channels), *indexes],
        python=python,
        requires_python=requires,
        missing=(f"packages: {source}: {unread} entries name no package",) if unread else (),
    ).facts()
    pairs = [(key, text(value) or "") for key, value in entries(document.get("variables"))]
    variables = variable_facts(pairs, source)
    return Facts(environment=(*facts.environment, *variables), missing=facts.missing)
