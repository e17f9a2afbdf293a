"""Running the exported graphs in ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnxruntime

from .config import ModelConfig
from .stream import BlockShape


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A session whose products use so many threads; all else as ONNX Runtime has it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # 3: errors. The older exporter's graphs are full of warnings about initializers.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxStream:
    """One stream through a `ChunkGraph`; its state never leaves ONNX Runtime's own tensors."""

    def __init__(self, graph: onnxruntime.InferenceSession, config: ModelConfig, shape: BlockShape):
        self.graph, self.mels, self.rows = graph, config.mels, shape.rows
        self.outputs = [output.name for output in graph.get_outputs()]
        # Every axis that may change is empty before the first frame.
        self.state = {
            tensor.name: onnxruntime.OrtValue.ortvalue_from_numpy(
                np.zeros([n if isinstance(n, int) else 0 for n in tensor.shape], np.float32))
            for tensor in graph.get_inputs()[2:] if tensor.name != "full"
        }
        self.takes_full = any(tensor.name == "full" for tensor in graph.get_inputs())

    def step(self, mel: np.ndarray) -> np.ndarray:
        """mel: [1, t, mels], log-mel, maybe empty. Returns log-probabilities [1, n, V] of the block."""
        frames = (mel.shape[1] + 3) // 4
        if frames == 0:
            mel = np.zeros((1, 4, self.mels), np.float32)
        value = onnxruntime.OrtValue.ortvalue_from_numpy
        inputs = {"mel": value(mel), "frames": value(np.array([frames], np.int64)), **self.state}
        if self.takes_full:
            rows = self.state["pending"].shape()[1] + frames
            inputs["full"] = value(np.array([rows == self.rows], np.float32))
        log_probs, *state = self.graph.run_with_ort_values(self.outputs, inputs)
        self.state = {name: tensor for name, tensor in zip(self.state, state)}
        return log_probs.numpy()
