"""The graded tree: what is installed in its .venv, and drivers that run with just that."""

from functools import cache
from typing import Any

from grading import python

SITE = ".venv/lib/python3.11/site-packages"
PATH = [SITE, *(f"packages/{name}/src" for name in ("billing", "gateway", "notify"))]

INSTALLED = '''
from importlib.metadata import distributions

def main(site):
    found = {dist.metadata["Name"]: dist.version for dist in distributions(path=[site])}
    return {name: version for name, version in found.items() if name.startswith("saltern")}
'''


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    return tuple(python(INSTALLED, SITE).items())


def installed() -> dict[str, str]:
    """Versions of the in-house libraries by name."""
    return dict(_installed())


def major(name: str) -> str:
    """What stands before the first dot of an installed version; nothing where none is installed."""
    return installed().get(name, "").partition(".")[0]


def drive(source: str, *args: Any, uses: dict[str, str]) -> Any:
    """What the driver returns, provided that the libraries it uses have these major versions."""
    found = {name: major(name) for name in uses}
    assert found == uses, f"installed majors are {found}, this test is about {uses}"
    return python(source, *args, path=PATH)
