"""`arcuate demo`: send samples to a throw-away node and show what comes back."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from arcuate.commands.context import print_json
from arcuate.commands.models import AsJson

if TYPE_CHECKING:
    from arcuate.demo import DemoResult

_KINDS = {
    "circle": "OCT circle",
    "volume": "OCT volume",
    "thickness_map": "OCT thickness map",
    "fundus": "fundus photograph, weaker than OCT",
    None: "scan not read",
}
_EYES = {"R": "right eye", "L": "left eye", None: "eye unknown"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Scans of your own; else the samples.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the node's database and instances in this folder too.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where reports, pictures and pages are saved.")] = Path(
        "arcuate-demo"
    ),
    as_json: AsJson = False,
) -> None:
    """Send samples by DICOM to a throw-away node; exit 0 only if each came out as it should."""
    from arcuate.demo import run_demo
    from arcuate.demo_expectations import read_expectations, samples_folder

    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    started = time.monotonic()
    console.print("Starting a throw-away node, sending by DICOM, waiting for the results …")
    with tempfile.TemporaryDirectory(prefix="arcuate-demo-") as folder:
        home = keep or Path(folder)
        if paths:
            results = run_demo(paths, {}, home, out)
        else:
            samples = samples_folder()
            results = run_demo([samples], read_expectations(samples), home, out)
    if as_json:
        print_json([{**vars(result), "estimated": True} for result in results])
    else:
        _show(console, results)
        console.print(f"Done in {time.monotonic() - started:.0f} s. The node is stopped again.")
    bad = any(result.as_expected is False or result.status == "failed" for result in results)
    raise typer.Exit(1 if bad else 0)


def _show(console: Console, results: "list[DemoResult]") -> None:
    for result in results:
        scan = "/".join(Path(result.source).parts[-2:])
        outcome = " ".join([result.status, *result.reasons])
        if result.mean_deviation_db is not None:
            outcome += f", MD {_signed(result.mean_deviation_db)} dB"
        console.print(
            f"\n{scan}  {_EYES[result.laterality]}, {_KINDS[result.scan_kind]}: "
            f"{outcome}{_verdict(result)}"
        )
        for name in ("report", "document", "picture", "page"):
            console.print(f"    {name:8} {getattr(result, name)}")
    console.print("\nMD is the mean deviation: estimated from the scan, never measured.")


def _signed(value_db: float) -> str:
    # What rounds to nothing has no sign.
    return f"{value_db:+.1f}" if round(value_db, 1) else "0.0"


def _verdict(result: "DemoResult") -> str:
    if result.as_expected is None:
        return ""
    return ", as it should" if result.as_expected else f" BUT IT SHOULD BE {result.expected}"
