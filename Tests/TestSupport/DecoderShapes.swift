import Conformer

extension DecoderConfig {
  /// Every tensor of a decoder as wide as its encoder.
  public var tensorShapes: [(name: String, shape: [Int])] {
    let (d, inner, v) = (width, feedForwardWidth, vocabulary)
    var shapes: [(name: String, shape: [Int])] = []
    func pair(_ name: String, _ shape: [Int]) {
      shapes.append((name + ".weight", shape))
      shapes.append((name + ".bias", [shape[0]]))
    }
    for (side, layers) in [("left", leftLayers), ("right", rightLayers)] where layers > 0 {
      let prefix = "decoder.\(side)."
      shapes.append((prefix + "embed.weight", [v, d]))
      pair(prefix + "after_norm", [d])
      pair(prefix + "output_layer", [v, d])
      for layer in 0..<layers {
        let name = prefix + "layers.\(layer)."
        for attention in ["self_attn", "src_attn"] {
          for linear in ["linear_q", "linear_k", "linear_v", "linear_out"] {
            let reads = attention == "src_attn" && ["linear_k", "linear_v"].contains(linear)
            let inputs = reads ? d + (positionWidth ?? 0) : d
            pair(name + attention + "." + linear, [d, inputs])
          }
        }
        pair(name + "feed_forward.w_1", [inner, d])
        pair(name + "feed_forward.w_2", [d, inner])
        for norm in ["norm1", "norm2", "norm3"] { pair(name + norm, [d]) }
      }
    }
    for layer in auxiliaryHeads ?? [] { pair("decoder.left.auxiliary.\(layer)", [v, d]) }
    return shapes
  }
}
