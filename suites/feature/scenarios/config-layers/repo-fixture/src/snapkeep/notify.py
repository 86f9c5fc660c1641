"""The summary that another program delivers."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from snapkeep.config import Config


def spool_summary(config: Config, removed: int, kept: int) -> None:
    """Append a signed line to the spool file, if there is one."""
    if not config.notify_spool:
        return
    body = json.dumps({"root": config.root, "removed": removed, "kept": kept}, sort_keys=True)
    sign = hmac.new(config.notify_token.encode(), body.encode(), hashlib.sha256).hexdigest()
    with Path(config.notify_spool).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"body": body, "signature": sign}) + "\n")
