"""python -m starling_training train RECIPE FOLDER"""

import argparse
import os
import sys
from pathlib import Path


ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="starling-training", description="Train Starling's models.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="start a run, or go on with it")
    train.add_argument("recipe", type=Path)
    train.add_argument("folder", type=Path, help="of the run: audio, state, log, model")
    train.add_argument("--until-hours", type=float, help="stop after so many audio-hours, the recipe's own at most")
    train.add_argument("--minutes", type=float, help="stop after so many minutes")
    train.add_argument("--processes", type=int, help="default: a GPU each, or a CPU core each")
    finetune = commands.add_parser("finetune", help="fit a model to a voice, a room or a field")
    finetune.add_argument("corpus", type=Path, help="audio and texts in any layout that scripts/evaluate reads")
    finetune.add_argument("folder", type=Path, help="of the run; its model/ is the result")
    finetune.add_argument("--model", type=Path, default=ROOT / "models/starling-en-small")
    finetune.add_argument("--hours", type=float, help="of audio to hear (default: the corpus 8 times)")
    finetune.add_argument("--rate", type=float, default=1e-4)
    finetune.add_argument("--hold-out", type=float, default=0.1, help="share to measure on (default: %(default)s)")
    finetune.add_argument("--keep", type=Path, action="append", default=[], metavar="CORPUS",
                          help="measure on this too, to see what is forgotten; repeatable")
    finetune.add_argument("--processes", type=int)
    plot = commands.add_parser("plot", help="curves of a run as a picture")
    plot.add_argument("folder", type=Path)
    plot.add_argument("--output", type=Path, required=True)
    goldens = commands.add_parser("goldens", help="tensors of a model for the Swift tests")
    goldens.add_argument("model", type=Path)
    goldens.add_argument("audio", type=Path)
    goldens.add_argument("--output", type=Path, required=True)
    goldens.add_argument("--seconds", type=float, default=1.7, help="of the audio (default: %(default)s)")
    average = commands.add_parser("average", help="the mean of models: FOLDER=WEIGHT …")
    average.add_argument("models", nargs="+", help="FOLDER=WEIGHT; the decoder is the first one's")
    average.add_argument("--output", type=Path, required=True)
    narrow = commands.add_parser("narrow", help="a model with a smaller decoder, which is to be trained on")
    narrow.add_argument("model", type=Path)
    narrow.add_argument("--left-layers", type=int, required=True)
    narrow.add_argument("--right-layers", type=int, required=True)
    narrow.add_argument("--inner", type=int, required=True, help="width of the feed-forward modules")
    narrow.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    # Big freed arrays are kept for the next step: giving them back costs a quarter of the time.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**32))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**33))
    from .commands import UserError, run

    try:
        run(arguments)
    except UserError as error:
        print(f"starling-training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
