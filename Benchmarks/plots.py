"""The plots of docs/performance.md, as SVG files; each takes what rivals.py, serving.py or `starling bench` wrote."""

import math
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter  # noqa: E402

from common import STARLING_F32, STARLING_INT8  # noqa: E402

STARLINGS = [STARLING_F32, STARLING_INT8]
# A system has its colour in every plot: int8 is the lighter one of each pair.
COLOURS = {
    STARLING_F32: "#1f4e9c", STARLING_INT8: "#6fa3e8",
    "ONNX Runtime f32": "#b5520b", "ONNX Runtime int8": "#f0a35e",
    "sherpa-onnx f32": "#2f6b3a", "sherpa-onnx int8": "#82c48f",
    "PyTorch eager": "#777777",
}
STAGE_COLOURS = ["#1f4e9c", "#6fa3e8", "#b5520b", "#f0a35e", "#2f6b3a", "#82c48f", "#6a4c93", "#c2a5d8", "#999999", "#444444"]
# Bytes of a weight that a step reads.
WEIGHT_BYTES = {"f32": 4, "int8": 1, "f16": 2}

plt.rcParams.update({
    "svg.fonttype": "none",  # Text stays text, so that files are small.
    "svg.hashsalt": "starling",  # The same figures make the same file.
    "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.axisbelow": True, "axes.grid": True, "grid.color": "#e3e3e3", "legend.frameon": False,
    "figure.constrained_layout.use": True,
})


def save(figure: Figure, path: Path) -> None:
    # Without a date, for the same reason as the salt.
    figure.savefig(path, metadata={"Date": None}, facecolor="white")
    plt.close(figure)


def rivals(tables: list[dict], path: Path) -> None:
    """How many times as fast Starling is, and the span of the rounds; one panel for each mode, all of one setting."""
    figure, panels = plt.subplots(1, len(tables), figsize=(2.9 * len(tables) + 1.8, 3.1), sharey=True, squeeze=False)
    for panel, table in zip(panels[0], tables):
        rows = [row for row in table["systems"] if row["system"] not in STARLINGS]
        for place, starling in enumerate(STARLINGS):
            ratios = [row["over"][starling] for row in rows]
            medians = [found["median"] for found in ratios]
            spans = [[f["median"] - f["least"] for f in ratios], [f["most"] - f["median"] for f in ratios]]
            at = [index + 0.38 * (place - 0.5) for index in range(len(rows))]
            line = {"elinewidth": 1, "ecolor": "#333333"}
            panel.barh(at, medians, 0.36, xerr=spans, color=COLOURS[starling], label=starling, error_kw=line)
            for y, found in zip(at, ratios):
                end = (found["most"], y)
                panel.annotate(f"{found['median']:.2f}", end, (4, 0), textcoords="offset points", va="center", fontsize=9)
        panel.axvline(1, color="#333333", linewidth=1, linestyle="--")
        panel.set_yticks(range(len(rows)), [row["system"] for row in rows])
        panel.grid(axis="y", visible=False)
        panel.set_title(mode_title(table["mode"]), fontsize=10)
        panel.margins(x=0.25)
        panel.set_xlim(left=0)
    panels[0][0].invert_yaxis()
    figure.supxlabel("times as fast as the rival", fontsize=10)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    save(figure, path)


def mode_title(mode: str) -> str:
    if mode == "full":
        return "full context"
    new_frames, look_ahead = map(int, mode.split("/"))
    return f"{mode} ({(new_frames + look_ahead) * 40} ms)"


def intensity(table: dict, parameters: int, system: str) -> float:
    """Floating-point operations of a step for each byte of weights that it reads, in the system's form."""
    # Starling keeps the 16 bits of the shipped file.
    form = "int8" if system.endswith("int8") else "f16" if system.startswith("Starling") else "f32"
    return table["step"]["operations"] / (parameters * WEIGHT_BYTES[form])


def reached(table: dict, seconds: float, row: dict) -> float:
    """GFLOP/s of a system: the operations of the matrix products over all of its time."""
    step = table["step"]
    return step["operations"] * step["steps"] * row["speed"] / seconds / 1e9


def roofs(tables: list[dict]) -> tuple[float, float]:
    """GFLOP/s of the fastest large product in float32 and GB/s of the triad, medians over the tables."""
    compute = [max(v for name, v in table["rates"].items() if name.endswith("gflops")) for table in tables]
    return statistics.median(compute), statistics.median(table["rates"]["triad_gbytes"] for table in tables)


def roofline(results: dict, tables: list[dict], path: Path) -> None:
    """Arithmetic intensity against the rate reached, of all modes on one thread."""
    figure, axes = plt.subplots(figsize=(7.2, 4.6))
    compute, memory = roofs(tables)
    places: list[float] = []
    for name in [row["system"] for row in tables[0]["systems"]]:
        points = []
        for table in tables:
            row = next(row for row in table["systems"] if row["system"] == name)
            rate = reached(table, results["audio_seconds"], row)
            points.append((intensity(table, results["parameters"], name), rate, table["mode"]))
        points.sort()
        across, rates, modes = zip(*points)
        axes.plot(across, rates, marker="o", markersize=6, linewidth=1, color=COLOURS[name], label=name)
        for x, rate, mode in points:
            axes.annotate(
                mode, (x, rate), (0, -13), textcoords="offset points", ha="center", fontsize=8, color=COLOURS[name])
        places += across
    low, high = min(places) / 1.8, max(places) * 1.8
    knee = compute / memory
    axes.plot([low, knee, high], [low * memory, compute, compute], color="#333333", linewidth=1.5)
    axes.set(xscale="log", yscale="log", xlim=(low, high))
    label = f"large float32 product, {compute:.0f} GFLOP/s"
    axes.annotate(label, (high, compute), (-4, 4), textcoords="offset points", ha="right", fontsize=9)
    axes.text(
        1.1 * low, 1.15 * 1.1 * low * memory, f"memory, {memory:.0f} GB/s", fontsize=9,
        # Along the roof: the angle is one of data, not of the picture.
        rotation=math.degrees(math.atan(memory)), rotation_mode="anchor", transform_rotates_text=True)
    axes.set_xlabel("floating-point operations for each byte of weights, read once a step")
    axes.set_ylabel("GFLOP/s reached, whole time")
    axes.legend(fontsize=9, loc="lower right")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_locator(NullLocator())
    save(figure, path)


def serving(results: dict, path: Path) -> None:
    """Processor time per second of audio against the number of streams."""
    figure, axes = plt.subplots(figsize=(7.2, 3.8))
    series: dict[str, list[dict]] = {}
    for row in results["rows"]:
        series.setdefault(row["system"], []).append(row)
    for name, rows in series.items():
        draw_costs(axes, rows, name, COLOURS[name], "-")
    for name in dict.fromkeys(row["system"] for row in results.get("in_process", [])):
        rows = [row for row in results["in_process"] if row["system"] == name]
        draw_costs(axes, rows, f"{name}, no server", COLOURS[name], ":")
    counts = sorted({row["streams"] for row in results["rows"]})
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("streams, paced as spoken")
    axes.set_ylabel("ms of processor time\nper second of audio")
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


def draw_costs(axes: Axes, rows: list[dict], label: str, colour: str, style: str) -> None:
    rows = sorted(rows, key=lambda row: row["streams"])
    counts, costs = [row["streams"] for row in rows], [1000 * row["cost"] for row in rows]
    axes.plot(counts, costs, style, marker="o", markersize=5, color=colour, label=label)


def stages(bars: list[tuple[str, dict[str, float]]], unit: str, path: Path) -> None:
    """One stacked bar for each name, from the stages' values in `unit`."""
    names = list(dict.fromkeys(stage for _, found in bars for stage in found))
    figure, axes = plt.subplots(figsize=(7.2, 1.6 + 0.42 * len(bars)))
    left = [0.0] * len(bars)
    for index, name in enumerate(names):
        widths = [found.get(name, 0.0) for _, found in bars]
        colour = STAGE_COLOURS[index % len(STAGE_COLOURS)]
        axes.barh(range(len(bars)), widths, 0.7, left=left, color=colour, label=name, edgecolor="white", linewidth=0.5)
        left = [a + b for a, b in zip(left, widths)]
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.01)
    axes.set_xlabel(unit)
    figure.legend(fontsize=9, loc="outside upper center", ncols=min(len(names), 5))
    save(figure, path)
