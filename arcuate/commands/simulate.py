"""`arcuate simulate`: the eyes the reference model is trained and measured on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from arcuate.commands.reference_model import Bank

if TYPE_CHECKING:
    from arcuate.simulating import Mix
    from inference.simulation.fields import PatternSource

_SEVERITY_HELP = (
    "Shares of early, moderate and advanced loss among eyes that are not healthy, as 0.5,0.3,0.2; "
    "else as the patterns have it."
)
_ANATOMY_HELP = (
    "Vary the eyes' build: disc-fovea angle, axial length, disc size, humps and vessels. Ages and "
    "fields stay those of the same seed without it."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    out: Annotated[Path, typer.Argument(help="FILE.csv, .npz or .parquet.")],
    eyes: Annotated[int, typer.Option(min=1, help="How many.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same eyes.")] = 1,
    bank: Bank = None,
    part: Annotated[
        str, typer.Option(help="Patients of the bank: train, validation, calibration or test.")
    ] = "test",
    healthy: Annotated[float, typer.Option(min=0, max=1, help="Share of healthy eyes.")] = 0.3,
    severity: Annotated[str | None, typer.Option(help=_SEVERITY_HELP)] = None,
    anatomy: Annotated[bool, typer.Option("--anatomy", help=_ANATOMY_HELP)] = False,
    sectors: Annotated[bool, typer.Option(help="Six sector means instead of samples.")] = False,
    b_scans: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for B-scans of the first eyes, with the truth."),
    ] = None,
    b_scan_count: Annotated[int, typer.Option(min=1, help="How many B-scans.")] = 8,
) -> None:
    """Write simulated eyes: thickness around the disc, the true field and one test of it.

    A CSV can be given to `arcuate score --profiles` as it is.
    """
    from arcuate.profile_table import ProfileFrom
    from arcuate.simulated_table import check_writable
    from arcuate.simulating import SimulatedSet, write_set
    from inference.simulation.anatomy import Anatomy

    check_writable(out)
    made_from = ProfileFrom.SECTORS if sectors else ProfileFrom.SAMPLES
    patterns = _patterns(bank, part, severity)
    build = Anatomy() if anatomy else None
    wanted = SimulatedSet(eyes, seed, patterns, healthy, made_from, b_scans, b_scan_count, build)
    console = Console(stderr=True)
    groups = track(wanted.groups, "Simulating", console=console, disable=not console.is_terminal)
    mix = write_set(wanted, out, groups)
    typer.echo(_summary(out, eyes, mix), err=True)


def _patterns(bank: Path | None, part: str, severity: str | None) -> "PatternSource":
    from inference.simulation.bank import Part
    from inference.simulation.severity import PatternsOfSeverity, SeverityShares
    from inference.training_eyes import pattern_source

    if part not in set(Part):
        raise typer.BadParameter(f"--part must be one of {', '.join(Part)}")
    source = pattern_source(bank, Part(part))
    if severity is None:
        return source
    try:
        early, moderate, advanced = (float(share) for share in severity.split(","))
        return PatternsOfSeverity(source, SeverityShares(early, moderate, advanced))
    except ValueError as error:
        raise typer.BadParameter(
            "--severity takes three shares that sum to 1, as 0.5,0.3,0.2"
        ) from error


def _summary(out: Path, count: int, mix: "Mix") -> str:
    shares = mix.severity
    return (
        f"{out}: {count} simulated eyes, {mix.healthy_share:.1%} healthy. By true mean deviation "
        f"{shares.early:.1%} are better than -6 dB, {shares.moderate:.1%} between -6 and -12 dB, "
        f"{shares.advanced:.1%} worse."
    )
