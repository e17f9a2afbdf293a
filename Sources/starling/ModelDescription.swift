import Conformer
import Foundation
import Recognizer
import Tensor

/// A model folder in words.
struct ModelDescription {
  let text: String

  init(directory: String, model: RecognizerModel) throws {
    func millions(_ count: Int) -> String { String(format: "%.1f M", Double(count) / 1e6) }
    let config = try ModelConfig.load(directory + "/config.json")
    let file = try SafetensorsFile(path: directory + "/model.safetensors")
    func parameters(_ prefix: String) -> Int {
      file.entries.filter { $0.key.hasPrefix(prefix) }
        .reduce(0) { $0 + $1.value.shape.reduce(1, *) }
    }
    let types = Dictionary(grouping: file.entries.values, by: \.type).sorted { $0.key < $1.key }
      .map { type, entries in
        let count = entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
        return "\(millions(count)) \(type) in \(entries.count) tensors"
      }
    let (e, s) = (config.encoder, config.streaming)
    let edges = e.edgeTaps.map { $0 > 0 ? ", \($0) edge taps" : "" } ?? ""
    var lines = [
      "model        \(config.model)",
      "folder       \(directory)",
      "parameters   \(millions(parameters(""))) (encoder \(millions(parameters("encoder."))), "
        + "decoder \(millions(parameters("decoder."))))",
      "stored       \(types.joined(separator: ", "))",
      "features     \(config.features.type.rawValue), \(config.features.mels) mels, "
        + "\(config.features.sampleRate) Hz, normalisation \(config.features.normalize.rawValue)",
      "encoder      \(e.layers) Conformer layers, d \(e.width), \(e.heads) heads, feed-forward "
        + "\(e.feedForwardWidth), kernel \(e.convolutionKernel)\(edges), "
        + "\(e.subsamplingFactor)x subsampling",
      "ctc          \(config.ctc.vocabulary) classes, blank \(config.ctc.blank)",
    ]
    if let d = config.decoder {
      lines.append(
        "decoder      \(d.leftLayers) layers left to right, \(d.rightLayers) right to left, "
          + "d \(d.width), \(d.heads) heads")
    } else {
      lines.append("decoder      none")
    }
    lines.append(
      "streaming    blocks of \(s.blockFrames) + \(s.lookAheadFrames) frames of 40 ms, left "
        + "context \(s.leftFrames); \(model.makeStream().byteCount / 1024) KiB per stream")
    text = lines.joined(separator: "\n") + "\n"
  }
}
