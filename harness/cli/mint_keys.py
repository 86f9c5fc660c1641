"""`mint keygen`: the key that signs snapshots."""
# ruff: noqa: PLC0415  # `mint --help` answers without loading cryptography

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.minting import default_key, key_option


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@key_option
@json_option
@root_option
def keygen(*, key_path: Path | None, as_json: bool, root: Path | None) -> int:
    """Make an Ed25519 key for signing snapshots, readable by you alone.

    Its public half, in the .pub file beside it, is for those who verify: mint verify --key.
    """
    from harness.cli.console import output, print_json
    from harness.specialists.signing import generate, public_path

    path = key_path or default_key(settings_for(root))
    public = generate(path).public
    if as_json:
        document = {"key": str(path), "public_key": public.hex, "keyid": public.keyid}
        print_json({**document, "public_file": str(public_path(path))})
        return PASSED
    console = output()
    console.print("[green]✓[/] [bold]Key made[/]")
    for name, said in (
        ("Key", path),
        ("Public key", public_path(path)),
        ("", public.hex),
        ("Key id", public.keyid),
    ):
        console.print(f"  {name:<12}{said}", soft_wrap=True, markup=False)
    console.print(
        "Snapshots are signed with it from now on. Keep the key, and give the public one away."
    )
    return PASSED
