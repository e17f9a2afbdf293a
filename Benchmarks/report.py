#!/usr/bin/env python3
"""Writes docs/performance.md and its plots from what the benchmarks wrote.

    Benchmarks/report.py --rivals rivals.json --serving serving.json --load load.json
    Benchmarks/report.py --rivals rivals.json --bench f32=bench.json --bench int8=bench-int8.json

Each file is optional: what is not given is left out. Text of your own, as on what was tried and where
the limit is, goes to Benchmarks/performance-notes.md, which is put at the end.

--bench takes what `starling bench --format json` writes.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import common
import plots
from common import STARLING_F32, STARLING_INT8

NOTES = common.ROOT / "Benchmarks/performance-notes.md"
# In the order of the way of a chunk.
STAGES = ("features", "subsampling", "feed-forward", "attention", "convolution", "ctc", "search", "final pass", "other")
# Streams per core against sherpa-onnx's server are asked for at so many streams.
GOAL_STREAMS = 32


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def measured_on(results: dict) -> str:
    """The machine in a sentence, and a warning where others used it."""
    machine, versions = results["machine"], results.get("versions", {})
    text = f"{machine['processor']}, {machine['cores']} cores, {machine['date']}"
    text += "".join(f"; {name} {version}" for name, version in versions.items()) + "."
    if machine["busy"] > 0.05:
        text += f" **Not quiet**: {100 * machine['busy']:.0f} % of the processors were busy before it began."
    return text


def goal(mode: str, starling: str, kind: str) -> str:
    """The ratio that issue 6 asks for against a rival of `kind`; none where it asks for none."""
    if starling == STARLING_F32:
        return "2.0"
    return "1.3" if kind == "int8" and mode == "full" else ""


def goals(rivals: dict | None, serving: dict | None) -> str:
    """Ratios beside what issue 6 asks for."""
    rows = []
    for found in rivals["tables"] if rivals else []:
        if found["threads"] != 1 or found["jobs"] != 1:
            continue
        over = {row["system"]: row["over"] for row in found["systems"]}
        what = f"{plots.mode_title(found['mode'])}, {found['setting']}"
        for starling, kind in ((STARLING_F32, "f32"), (STARLING_INT8, "int8"), (STARLING_INT8, "f32")):
            rival = f"ONNX Runtime {kind}"
            ratio = f"{over[rival][starling]['median']:.2f}"
            rows.append([what, starling, rival, ratio, goal(found["mode"], starling, kind)])
    for found in serving["ratios"] if serving else []:
        if found["streams"] == GOAL_STREAMS:
            what, rival = f"{GOAL_STREAMS} streams at 640 ms, per core", f"{found['rival']}'s server"
            asked = goal("8/8", found["starling"], "")
            rows.append([what, found["starling"], rival, f"{found['ratio']:.2f}", asked])
    return table(["what", "Starling", "over", "ratio", "goal"], rows)


def rivals_section(results: dict, folder: Path) -> str:
    parts = [
        "## Against ONNX Runtime and PyTorch\n",
        f"{measured_on(results)} {results['audio_seconds']:.0f} s of dev-clean in {results['utterances']} utterances of "
        f"{results['shortest']:.1f} to {results['longest']:.1f} s, {results['rounds']} rounds in turns. Speed is seconds of audio "
        "per second, the median of the rounds; ratios are medians of the rounds' ratios, least and most in brackets. "
        "The rivals compute log-probabilities from features that were ready; Starling goes from WAV files to text.\n"]
    settings = list(dict.fromkeys(found["setting"] for found in results["tables"]))
    for earlier in folder.glob("rivals-*.svg"):
        earlier.unlink()  # It may be of a setting that is no more measured.
    for setting in settings:
        tables = [found for found in results["tables"] if found["setting"] == setting]
        name = f"rivals-{setting.replace(',', '').replace(' ', '-')}.svg"
        plots.rivals(tables, folder / name)
        parts += [f"### {setting}\n", f"![How many times as fast as each rival Starling is, {setting}; lines from the least round to the most](plots/{name})\n"]
        for found in tables:
            parts += [f"**{plots.mode_title(found['mode'])}**\n", rivals_table(found, results["utterances"])]
    return "\n".join(parts)


def rivals_table(found: dict, utterances: int) -> str:
    rows = []
    for row in found["systems"]:
        ratios = [
            f"{over['median']:.2f} ({over['least']:.2f}–{over['most']:.2f})" if (over := row["over"].get(starling)) else ""
            for starling in (STARLING_F32, STARLING_INT8)]
        rows.append([row["system"], f"{row['speed']:.1f}", *ratios, f"{row['same_text']} of {utterances}"])
    return table(["system", "speed", f"{STARLING_F32} over it", f"{STARLING_INT8} over it", f"{STARLING_F32}'s text"], rows)


def roofline_section(results: dict, folder: Path) -> str:
    tables = [found for found in results["tables"] if found["threads"] == found["jobs"] == 1]
    if not tables:
        return ""
    compute, memory = plots.roofs(tables)
    plots.roofline(results, tables, folder / "roofline.svg")
    rows = []
    for found in tables:
        for row in found["systems"]:
            rate = plots.reached(found, results["audio_seconds"], row)
            intensity = plots.intensity(found, results["parameters"], row["system"])
            step = 1000 * results["audio_seconds"] / row["speed"] / found["step"]["steps"]
            rows.append([
                found["mode"], row["system"], f"{found['step']['operations'] / 1e6:.0f}", f"{step:.2f}", f"{intensity:.1f}",
                f"{rate:.0f}", f"{100 * rate / compute:.0f} %"])
    return "\n".join([
        "## Roofline, one thread\n",
        f"The fastest large float32 product of PyTorch and ONNX Runtime reached {compute:.0f} GFLOP/s, a triad {memory:.0f} GB/s. "
        f"A step (of full context: the mean utterance) reads {results['parameters'] / 1e6:.1f} M weights once, of 4 bytes (2 in Starling float32, as the file has them; 1 in int8). "
        "Operations are those of the matrix products; the time is all that the system takes. Caches hold a part of "
        "the weights from step to step, so memory is no strict bound; int8 products may pass the float32 rate.\n",
        "![Arithmetic intensity against the rate reached](plots/roofline.svg)\n",
        table(["mode", "system", "MFLOP a step", "ms a step", "FLOP per byte", "GFLOP/s", "of the large product"], rows)])


def serving_section(results: dict, folder: Path) -> str:
    plots.serving(results, folder / "serving.svg")
    parts = [
        "## Many streams: against sherpa-onnx's server\n",
        f"{measured_on(results)} The same weights at 640 ms in `starling serve` and sherpa-onnx's websocket server, {results['threads']} "
        "decoding threads each, under the same load, paced as spoken, from the same machine. Cost: processor milliseconds of "
        "the server's process per second of audio; times are ms, p50 / p95 / p99. *Lag*: from when the last sample that "
        "a partial result took was sent to its arrival, up to a portion of 100 ms of it the client's. *First partial*: from the first "
        "sample of a file. *Final after end*: from its last sample.\n",
        "![Cost by the number of streams](plots/serving.svg)\n"]
    rows = [
        [str(row["streams"]), row["system"], f"{1000 * row['cost']:.1f}", f"{1 / row['cost']:.0f}",
         *(common.milliseconds(row[name]) for name in ("result_lag", "first_partial", "final_after_end")), f"{row['mebibytes']:.0f}",
         f"{row['same_text']} of {row['of_texts']}"] for row in results["rows"]]
    head = ["streams", "system", "cost", "streams per core", "lag", "first partial", "final after end", "MiB", f"{STARLING_F32}'s text"]
    parts += [table(head, rows), "Starling's streams per core over sherpa-onnx's:\n", serving_ratios(results)]
    if found := results.get("in_process"):
        parts += ["sherpa-onnx's recogniser without its server, one thread, all streams in every batch:\n", in_process_table(results, found)]
    if found := results.get("saturation"):
        parts += ["Most streams whose p99 lag is under one chunk, 320 ms:\n", table(
            ["system", "streams", "p99 lag by streams, ms"], [
                [row["system"], str(row["streams"]), ", ".join(
                    f"{t['streams']}: {1000 * t['lag_p99']:.0f}" if t["lag_p99"] is not None else f"{t['streams']}: –"
                    for t in sorted(row["trials"], key=lambda t: t["streams"]))] for row in found])]
    return "\n".join(parts)


def serving_ratios(results: dict) -> str:
    ratios = {(r["streams"], f"{r['starling']} / {r['rival']}"): r["ratio"] for r in results["ratios"]}
    pairs = list(dict.fromkeys(pair for _, pair in ratios))
    counts = list(dict.fromkeys(streams for streams, _ in ratios))
    return table(["streams", *pairs], [[str(n), *(f"{ratios[n, pair]:.2f}" for pair in pairs)] for n in counts])


def in_process_table(results: dict, found: list[dict]) -> str:
    costs = {(row["streams"], row["system"]): row["cost"] for row in results["rows"]}
    rows = [
        [str(row["streams"]), row["system"], f"{1000 * row['cost']:.1f}",
         *(f"{row['cost'] / costs[row['streams'], starling]:.2f}" for starling in (STARLING_F32, STARLING_INT8))] for row in found]
    return table(["streams", "system", "cost", f"{STARLING_F32}'s server over it", f"{STARLING_INT8}'s"], rows)


def load_section(results: dict) -> str:
    rows = [
        [str(row["streams"]), f"{row['batch']:.1f}", f"{1000 * row['cost']:.1f}", f"{1000 * row['process_cost']:.1f}",
         *(common.milliseconds(row[name]) for name in ("result_lag", "first_partial", "final_after_end")), f"{row['mebibytes']:.0f}"]
        for row in results["rows"]]
    return "\n".join([
        f"## Live streams at once, {results['latency']}\n",
        f"{measured_on(results)} `starling serve` over its native protocol, as `Benchmarks/load.py` measures it. Decoder and "
        "process: processor milliseconds per second of audio, of decoding alone and of the whole server.\n",
        table(["streams", "streams a pass", "decoder", "process", "lag", "first partial", "final after end", "MiB"], rows)])


def bench_section(benches: dict[str, dict], folder: Path) -> str:
    """Time by stage and rates of products, of every model that was given."""
    parts = ["## Where the time goes\n"]
    bars = []
    for name, bench in benches.items():
        for latency, found in bench.get("stages", {}).items():
            seconds = {stage: value for stage, value in found.items() if isinstance(value, int | float)}
            if sum(seconds.values()) > 0:
                bars.append((f"{latency}, {name}" if name else latency, seconds))
    if bars:
        # In per cent: what the seconds are of is the bench's affair.
        stages = [stage for stage in STAGES if any(stage in found for _, found in bars)]
        shares = [(name, {stage: 100 * found.get(stage, 0) / sum(found.values()) for stage in stages}) for name, found in bars]
        plots.stages(shares, "% of the time", folder / "stages.svg")
        parts += [
            "Shares of the time of `starling bench` in %, one thread.\n", "![Time by stage](plots/stages.svg)\n",
            table(["latency", *stages], [[name, *(f"{found.get(stage, 0):.1f}" for stage in stages)] for name, found in shares])]
    # The products are float32 whatever the model is.
    bench = next(iter(benches.values()))
    sgemm = bench["sgemm_gflops"]
    rows = [[str(p["rows"]), f"{p['gflops']:.0f}", f"{100 * p['gflops'] / sgemm:.0f} %"] for p in bench["encoder_products"]]
    parts += [
        f"Float32 products with weights of an encoder layer, all together; a product of 1024³ reaches {sgemm:.0f} GFLOP/s (the "
        "faster of ours and OpenBLAS's):\n", table(["rows", "GFLOP/s", "of the large product"], rows)]
    parts += [
        "176 inputs to 704 outputs, GFLOP/s:\n", table(["rows", "Starling", "OpenBLAS", "ratio"], [
            [str(p["rows"]), f"{p['gflops']:.0f}", *((f"{o:.0f}", f"{p['gflops'] / o:.1f}") if (o := p.get("openblas_gflops")) else ("", ""))]
            for p in bench["products"]])]
    return "\n".join(parts)


def read(path: Path | None) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path else None


def named_file(text: str) -> tuple[str, Path]:
    """NAME=FILE or FILE."""
    name, is_named, path = text.partition("=")
    return (name, Path(path)) if is_named else ("", Path(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", type=Path, help="of rivals.py --json")
    parser.add_argument("--serving", type=Path, help="of serving.py --json")
    parser.add_argument("--load", type=Path, help="of load.py --json")
    parser.add_argument("--bench", type=named_file, action="append", default=[], metavar="[NAME=]FILE", help="repeatable")
    parser.add_argument(
        "--output", type=Path, default=common.ROOT / "docs/performance.md", help="plots go to plots/ beside it")
    arguments = parser.parse_args()
    rivals, serving, load = read(arguments.rivals), read(arguments.serving), read(arguments.load)
    folder = arguments.output.parent / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        "# Performance\n\nWritten by `Benchmarks/report.py` from what `Benchmarks/all` measured. "
        "Machines differ: the ratios within a run are what counts.\n"]
    if rivals or serving:
        sections.append("## In short\n\n" + goals(rivals, serving))
    if rivals:
        sections += [rivals_section(rivals, folder), roofline_section(rivals, folder)]
    if benches := {name: read(path) for name, path in arguments.bench}:
        sections.append(bench_section(benches, folder))
    if serving:
        sections.append(serving_section(serving, folder))
    if load:
        sections.append(load_section(load))
    if NOTES.exists():
        sections.append(NOTES.read_text(encoding="utf-8"))
    arguments.output.write_text("\n".join(section for section in sections if section), encoding="utf-8")


if __name__ == "__main__":
    main()
