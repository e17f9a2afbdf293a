import Tensor

/// The tensors of a bidirectional attention decoder, checked when a model is loaded so that a
/// damaged folder is refused at once and not at the first final pass.
enum DecoderTensors {
  /// - Parameter reader: at the tensors below `decoder.`.
  static func check(_ reader: WeightReader, _ config: DecoderConfig) throws(WeightError) {
    try checkSide(reader["left"], config, layers: config.leftLayers)
    if config.rightLayers > 0 {
      try checkSide(reader["right"], config, layers: config.rightLayers)
    }
  }

  private static func checkSide(
    _ reader: WeightReader, _ config: DecoderConfig, layers: Int
  ) throws(WeightError) {
    let (d, inner) = (config.width, config.feedForwardWidth)
    _ = try reader["embed"].tensor("weight", [config.vocabulary, d])
    try checkPair(reader["after_norm"], [d], bias: d)
    try checkPair(reader["output_layer"], [config.vocabulary, d], bias: config.vocabulary)
    for index in 0..<layers {
      let layer = reader["layers"][index]
      for attention in ["self_attn", "src_attn"] {
        for projection in ["linear_q", "linear_k", "linear_v", "linear_out"] {
          try checkPair(layer[attention][projection], [d, d], bias: d)
        }
      }
      try checkPair(layer["feed_forward"]["w_1"], [inner, d], bias: inner)
      try checkPair(layer["feed_forward"]["w_2"], [d, inner], bias: d)
      for norm in ["norm1", "norm2", "norm3"] { try checkPair(layer[norm], [d], bias: d) }
    }
  }

  private static func checkPair(
    _ reader: WeightReader, _ weight: [Int], bias: Int
  ) throws(WeightError) {
    _ = try reader.tensor("weight", weight)
    _ = try reader.tensor("bias", [bias])
  }
}
