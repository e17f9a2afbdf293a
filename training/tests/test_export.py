"""The exported graphs against PyTorch, in ONNX Runtime."""

import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

try:
    import onnx
    import onnxruntime  # noqa: F401

    import export_onnx
    from starling_training.onnx_graphs import OPSET
    from starling_training.onnx_model import OnnxStream, session
except ImportError as error:
    raise unittest.SkipTest(f"needs training[onnx]: {error}")

from starling_training.checkpoint import save_model
from starling_training.model import ConformerCTC
from starling_training.stream import BlockShape, feeds
from support import FIRST, GOLDENS, MODEL, SHARED, needs_goldens


def setUpModule():
    # Steps are small, and on a busy machine two threads wait for each other longer than they work.
    torch.set_num_threads(1)


class EdgeKernels(unittest.TestCase):
    def test_graphs_are_pytorch(self):
        """A model with other, random edge kernels, through all graphs."""
        model = ConformerCTC.load(MODEL)
        for layer in model.encoder.layers:
            torch.nn.init.normal_(layer.conv.edge_kernels, std=0.05)
        with tempfile.TemporaryDirectory() as folder:
            save_model(model, MODEL, Path(folder) / "model")
            differences = export_onnx.export(Path(folder) / "model", Path(folder) / "onnx", [4], [(4, 4)])
            self.assertEqual(len(differences), 3)
            for name, difference in differences.items():
                self.assertLess(difference, export_onnx.TOLERANCE, name)


class Exported(unittest.TestCase):
    """With a folder for graphs."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)


class Export(Exported):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.differences = export_onnx.export(MODEL, cls.folder, [8, 4], [(8, 8)])
        cls.model = ConformerCTC.load(MODEL)

    def test_graphs_are_pytorch(self):
        graphs = {"whole.onnx", "chunk-8.onnx", "chunk-4.onnx", "sherpa-8-8.onnx"}
        self.assertEqual(set(self.differences), graphs)
        for name, difference in self.differences.items():
            self.assertLess(difference, export_onnx.TOLERANCE, name)

    def test_the_check_sees_a_wrong_graph(self):
        """Chunks of four are not chunks of eight: the comparison must say so."""
        with self.assertRaises(AssertionError):
            worst = export_onnx.chunk_difference(
                self.folder / "chunk-4.onnx", self.model, BlockShape(8, 8), [202])
            self.assertLess(worst, export_onnx.TOLERANCE)

    def test_sherpa_onnx_reads_its_graph(self):
        try:
            # Its programs alone (sherpa-onnx-bin) are a module without this.
            from sherpa_onnx import OnlineRecognizer
            import soundfile
        except ImportError as error:
            self.skipTest(str(error))
        audio = SHARED / "goldens/1272-128104-0000.flac"
        if not audio.exists():
            self.skipTest(f"no {audio}")
        recognizer = OnlineRecognizer.from_nemo_ctc(
            tokens=str(self.folder / "sherpa-tokens.txt"), model=str(self.folder / "sherpa-8-8.onnx"),
            num_threads=1)
        stream = recognizer.create_stream()
        samples, rate = soundfile.read(audio, dtype="float32")
        stream.accept_waveform(rate, samples)
        stream.accept_waveform(rate, np.zeros(rate, np.float32))
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
        self.assertEqual(
            recognizer.get_result(stream).strip(),
            "mister quilter is the apostle of the middle classes and we are glad to welcome his gospel")

    def test_opset(self):
        for path in self.folder.glob("*.onnx"):
            versions = {o.domain: o.version for o in onnx.load(path).opset_import}
            self.assertGreaterEqual(versions[""], OPSET, path.name)

    def test_int8_holds_int8_weights(self):
        for path in self.folder.glob("*.int8.onnx"):
            graph = onnx.load(path).graph
            weights = {w.name: w for w in graph.initializer}
            products = [node for node in graph.node if node.op_type == "MatMulInteger"]
            # Per layer four of feed-forward, two of attention, two of convolution; one before, one after.
            self.assertEqual(len(products), 8 * 16 + 2, path.name)
            for node in products:
                self.assertEqual(weights[node.input[1]].data_type, onnx.TensorProto.INT8)


@needs_goldens
class Goldens(Exported):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        export_onnx.export(FIRST, cls.folder, [8], [])
        cls.config = ConformerCTC.load(FIRST).config

    def test_goldens(self):
        from safetensors.numpy import load_file
        whole = session(self.folder / "whole.onnx")
        chunk = session(self.folder / "chunk-8.onnx")
        for path in sorted(GOLDENS.glob("*.safetensors")):
            golden = load_file(path)
            mel, shape = golden["log_mel"][None], BlockShape(8, 8)
            found = whole.run(None, {"log_mel": mel})[0][0]
            np.testing.assert_allclose(found, golden["full.log_probs"], atol=1e-3, rtol=0)
            found = self.stream(chunk, mel, shape)
            np.testing.assert_allclose(found, golden["block8+8_left64.log_probs"], atol=1e-3, rtol=0)

    def test_int8_hears_nearly_the_same(self):
        from safetensors.numpy import load_file
        golden = load_file(GOLDENS / "1272-128104-0000.safetensors")
        mel = golden["log_mel"][None]
        whole = session(self.folder / "whole.int8.onnx").run(None, {"log_mel": mel})[0][0]
        chunks = self.stream(session(self.folder / "chunk-8.int8.onnx"), mel, BlockShape(8, 8))
        for found, name in ((whole, "full"), (chunks, "block8+8_left64")):
            expected = golden[f"{name}.log_probs"]
            self.assertGreater((found.argmax(-1) == expected.argmax(-1)).mean(), 0.9, name)
            self.assertGreater(np.abs(found - expected).max(), 1e-3, "not quantised at all")

    def stream(self, graph, mel: np.ndarray, shape: BlockShape) -> np.ndarray:
        stream = OnnxStream(graph, self.config, shape)
        return np.concatenate(
            [stream.step(mel[:, feed.mel])[0, : feed.final] for feed in feeds(mel.shape[1], shape)])


if __name__ == "__main__":
    unittest.main()
