"""`config.json` of a model folder (docs/model-format.md) as a type."""

import json
from dataclasses import dataclass
from pathlib import Path

FORMAT = "starling-1"


@dataclass(frozen=True)
class ModelConfig:
    """What the encoder and the CTC head need of `config.json`."""

    mels: int
    normalize: str
    layers: int
    width: int
    heads: int
    feed_forward_width: int
    convolution_kernel: int
    subsampling_channels: int
    scales_input: bool
    vocabulary: int
    blank: int
    left_frames: int
    # Taps of the edge kernels, 0 for none.
    edge_taps: int = 0

    @staticmethod
    def load(path: Path) -> "ModelConfig":
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != FORMAT:
            raise ValueError(f"{path}: 'format' is {fields.get('format')!r}, expected {FORMAT!r}")
        encoder, features = fields["encoder"], fields["features"]
        if features["type"] != "nemo_log_mel":
            raise ValueError(f"{path}: 'features.type' is {features['type']!r}, expected 'nemo_log_mel'")
        if encoder["subsampling_factor"] != 4:
            raise ValueError(f"{path}: 'encoder.subsampling_factor' is {encoder['subsampling_factor']}, expected 4")
        return ModelConfig(
            mels=features["n_mels"],
            normalize=features["normalize"],
            layers=encoder["n_layers"],
            width=encoder["d_model"],
            heads=encoder["n_heads"],
            feed_forward_width=encoder["d_feed_forward"],
            convolution_kernel=encoder["conv_kernel_size"],
            subsampling_channels=encoder["subsampling_channels"],
            scales_input=encoder["xscaling"],
            vocabulary=fields["ctc"]["vocabulary"],
            blank=fields["ctc"]["blank"],
            left_frames=fields["streaming"]["left_frames"],
            edge_taps=encoder.get("edge_taps", 0),
        )

    @property
    def first_bins(self) -> int:
        """Frequency bins after the first subsampling convolution."""
        return (self.mels + 1) // 2

    @property
    def second_bins(self) -> int:
        """Frequency bins after the second subsampling convolution."""
        return (self.first_bins + 1) // 2
