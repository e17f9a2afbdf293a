"""Tables in Markdown, and their places in a document."""

from pathlib import Path

from . import EvaluationError
from .scoring import Cell


def percent(rate: float) -> str:
    return f"{100 * rate:.2f}"


def signed(rate: float) -> str:
    return f"{100 * rate:+.2f}"


def rate(cell: Cell) -> str:
    if not cell.interval:
        return percent(cell.rate)
    return f"{percent(cell.rate)} ({percent(cell.interval[0])}–{percent(cell.interval[1])})"


def difference(cell: Cell) -> str:
    if cell.difference is None:
        return "–"
    value, (low, high) = cell.difference
    return f"{signed(value)} ({signed(low)} to {signed(high)})"


def grid(columns: list[str], rows: dict[str, list[str]]) -> str:
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    return "\n".join(lines + [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items()]) + "\n"


def of_passes(cells: dict[tuple[str, str], Cell], latencies: list[str], passes: list[str]) -> str:
    """Rates, differences to the first pass and real-time factors; cells by latency and pass."""
    def part(write) -> str:
        return grid(latencies, {name: [write(cells[latency, name]) for latency in latencies] for name in passes})

    text = "Word error rate in %, with 95 % intervals:\n\n" + part(rate)
    if len(passes) > 1:
        text += f"\nDifference to {passes[0]} at the same latency, on the same utterances:\n\n" + part(difference)
    return text + "\nReal-time factor, first pass included:\n\n" + part(lambda cell: f"{cell.factor:.4f}")


def of_conditions(cells: dict[tuple[str, str, str], Cell], conditions: list[str], modes: list[tuple[str, str]]) -> str:
    """Rates and what a condition costs; cells by condition, latency and pass."""
    columns = [f"{latency} {name}" for latency, name in modes]
    rows = {condition: [rate(cells[condition, *mode]) for mode in modes] for condition in conditions}
    costs = {condition: [difference(cells[condition, *mode]) for mode in modes] for condition in conditions if condition != "clean"}
    return "Word error rate in % under each condition:\n\n" + grid(columns, rows) + "\nDifference to the clean audio:\n\n" + grid(columns, costs)


def insert(document: Path, name: str, text: str) -> None:
    """Puts `text` between the marks `<!-- evaluate: NAME -->` and `<!-- end -->` of a document."""
    content = document.read_text(encoding="utf-8")
    start = f"<!-- evaluate: {name} -->\n"
    before, found, rest = content.partition(start)
    _, closed, after = rest.partition("<!-- end -->")
    if not found or not closed:
        raise EvaluationError(f"{document}: no place for the table: expected the lines '{start.strip()}' and '<!-- end -->'")
    document.write_text(before + start + text.rstrip("\n") + "\n" + closed + after, encoding="utf-8")
