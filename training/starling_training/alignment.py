"""The best CTC path through a given text (Viterbi)."""

import numpy as np


def spikes(log_probs: np.ndarray, classes: list[int], blank: int) -> np.ndarray:
    """For log-probabilities [T, V] and a text that fits (`losses.fits`): the frame of each class at
    which the best path says it with the most confidence. [u], rising"""
    states = np.full(2 * len(classes) + 1, blank)
    states[1::2] = classes
    emission = log_probs[:, states]  # [T, S]
    # A step may skip the blank between two classes that differ.
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    score = np.full(len(states), -np.inf)
    score[:2] = emission[0, :2]
    came = np.zeros(emission.shape, np.int8)
    for t in range(1, len(emission)):
        choices = np.full((3, len(states)), -np.inf)
        choices[0] = score
        choices[1, 1:] = score[:-1]
        choices[2, 2:] = np.where(skips[2:], score[:-2], -np.inf)
        came[t] = choices.argmax(axis=0)
        score = choices.max(axis=0) + emission[t]
    state = len(states) - 1 if len(states) == 1 or score[-1] >= score[-2] else len(states) - 2
    found = np.zeros(len(classes), np.int64)
    best = np.full(len(classes), -np.inf)
    for t in range(len(emission) - 1, -1, -1):
        if state % 2 and emission[t, state] > best[state // 2]:
            best[state // 2], found[state // 2] = emission[t, state], t
        state -= int(came[t, state])
    return found
