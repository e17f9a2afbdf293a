#!/usr/bin/env python3
"""Writes Tests/AudioTests/Fixtures/kaldi-fbank-landscape.safetensors: the 80-bin Kaldi filterbank
of the first second of audio-samples/landscape.flac, by kaldi-native-fbank.

  pip install kaldi-native-fbank soundfile numpy safetensors
  scripts/make-kaldi-golden.py
"""

from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import soundfile
from safetensors.numpy import save_file

package = Path(__file__).resolve().parent.parent
samples, rate = soundfile.read(
    package / "audio-samples/landscape.flac", frames=16000, dtype="float32"
)
assert rate == 16000 and samples.shape == (16000,)

options = knf.FbankOptions()
options.frame_opts.samp_freq = 16000
options.frame_opts.dither = 0
options.frame_opts.snip_edges = True
options.frame_opts.window_type = "povey"
options.frame_opts.remove_dc_offset = True
options.frame_opts.preemph_coeff = 0.97
options.mel_opts.num_bins = 80
options.mel_opts.low_freq = 20
options.mel_opts.high_freq = 0  # half the sample rate
options.use_energy = False

fbank = knf.OnlineFbank(options)
fbank.accept_waveform(16000, (samples * 32768).tolist())
fbank.input_finished()
frames = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
assert frames.shape == (98, 80), frames.shape

save_file(
    {"frames": frames.astype(np.float32)},
    package / "Tests/AudioTests/Fixtures/kaldi-fbank-landscape.safetensors",
    metadata={"made_by": f"kaldi-native-fbank {knf.__version__}"},
)
