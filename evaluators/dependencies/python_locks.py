"""uv.lock, poetry.lock, pdm.lock and Pipfile.lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.dependencies.model import Lock, Locked, Manifest
from evaluators.dependencies.npm_locks import Reading, wanted
from evaluators.dependencies.python import BUILD
from evaluators.dependencies.syntax import listed, mapping, read_json, read_toml, text_of
from harness.load.versions import Ecosystem, python_name, read_version


def read_uv(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """uv's, which quotes what it was made from."""
    return _read(Reading(path, "uv"), _packages(read_toml(text)), manifests)


def read_poetry(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """Poetry's."""
    return _read(Reading(path, "poetry"), _packages(read_toml(text)), manifests)


def read_pdm(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """PDM's."""
    return _read(Reading(path, "pdm"), _packages(read_toml(text)), manifests)


def read_pipenv(path: str, text: str, manifests: Sequence[Manifest]) -> Lock:
    """Pipenv's."""
    raw = read_json(text)
    packages = [
        Locked(python_name(name), text_of(mapping(entry).get("version")).removeprefix("=="))
        for section in ("default", "develop")
        for name, entry in mapping(raw.get(section)).items()
    ]
    return _read(Reading(path, "pipenv"), packages, manifests)


def _packages(raw: Mapping[str, Any]) -> list[Locked]:
    found = [mapping(each) for each in listed(raw.get("package"))]
    return [
        Locked(python_name(text_of(each.get("name"))), text_of(each.get("version")))
        for each in found
        # the project itself is in uv's
        if not {"virtual", "editable"} & mapping(each.get("source")).keys()
    ]


def _read(reading: Reading, packages: list[Locked], manifests: Sequence[Manifest]) -> Lock:
    reading.packages += packages
    versions: dict[str, list[str]] = {}
    for package in packages:
        versions.setdefault(package.name, []).append(package.version)
    locals_ = {manifest.name for manifest in manifests if manifest.name}
    for manifest in manifests:
        for each in wanted(manifest):
            if each.section != BUILD and each.name not in locals_:
                # markers may lock several: the lowest is the one to be sure of
                reading.found(each, _lowest(versions.get(each.name, [])))
    return reading.done()


def _lowest(versions: list[str]) -> str | None:
    found = [v for text in versions if (v := read_version(text, Ecosystem.PYTHON)) is not None]
    return min(found).text if found else next(iter(versions), None)
