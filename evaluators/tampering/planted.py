"""Files that are trouble by their names: they run by themselves, or in another's place."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from evaluators.tampering.rules import names, path_rules
from evaluators.tampering.scene import Look, Scene, Sign

SHADOW, AGENT = "shadow", "agent_settings"
_ROOT = re.compile(r"^(?:(?:src|lib)/)?(\w+)(?:\.py|/__init__\.py|\.pyc|\.so)$")


def planted(scene: Scene) -> Iterator[Sign]:
    """What a file is by its path."""
    for look in (each for each in scene.roles if not each.gone):
        for each in path_rules():
            if each.pattern.search(look.path):
                yield look.sign(each.family, each.what, serious=each.serious)
        if look.fresh or look.file.was is not None:
            yield from _shadow(look)


def _shadow(look: Look) -> Iterator[Sign]:
    if look.name in names("tools"):
        yield look.sign(SHADOW, f"is called as the tool {look.name}", serious=True)
    found = _ROOT.match(look.path)
    module = found[1] if found else look.path.partition("/")[0] if look.suffix == ".py" else ""
    if module in names("runners"):
        yield look.sign(SHADOW, f"stands in the way of {module}", serious=True)
    elif found and module in sys.stdlib_module_names and not module.startswith("__"):
        what = f"stands in the way of the standard library's {module}"
        yield look.sign(SHADOW, what, serious=module in names("core"))
