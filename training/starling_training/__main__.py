"""python -m starling_training train RECIPE FOLDER"""

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="starling-training", description="Train Starling's models.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="start a run, or go on with it")
    train.add_argument("recipe", type=Path)
    train.add_argument("folder", type=Path, help="of the run: audio, state, log, model")
    train.add_argument("--until-hours", type=float, help="stop after so many audio-hours, the recipe's own at most")
    train.add_argument("--minutes", type=float, help="stop after so many minutes")
    train.add_argument("--processes", type=int, help="default: a GPU each, or a CPU core each")
    average = commands.add_parser("average", help="the mean of models: FOLDER=WEIGHT …")
    average.add_argument("models", nargs="+", help="FOLDER=WEIGHT; the decoder is the first one's")
    average.add_argument("--output", type=Path, required=True)
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
