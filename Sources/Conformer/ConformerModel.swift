import Foundation
import Tensor

/// The networks of a model folder: encoder, CTC head, attention decoder and feature statistics.
/// Immutable; one is shared by all streams.
public struct ConformerModel: Sendable {
  public let config: ModelConfig
  public let encoder: ConformerEncoder
  public let ctc: CTCHead
  /// The attention decoder, if the model has one.
  public let decoder: BidirectionalDecoder?
  /// Mean and inverse standard deviation of the log-mels, each [mels], when the config asks for
  /// global normalisation.
  public let cmvn: (mean: [Float], inverseDeviation: [Float])?

  /// Reads `config.json` and `model.safetensors` of a folder. Every tensor that the config calls
  /// for must be there with its shape and finite values, and no other.
  ///
  /// - Throws: `ModelError` or `WeightError`.
  public init(directory: String) throws {
    let config = try ModelConfig.load(directory + "/config.json")
    let file = try SafetensorsFile(path: directory + "/model.safetensors")
    try self.init(config: config, weights: WeightReader(file))
  }

  init(config: ModelConfig, weights: WeightReader) throws(WeightError) {
    self.config = config
    encoder = try ConformerEncoder(
      weights["encoder"], config.encoder, mels: config.features.mels)
    ctc = try CTCHead(weights["ctc"], config.ctc, width: config.encoder.width)
    if config.features.normalize == .globalCMVN {
      let mels = config.features.mels
      cmvn = (
        try weights["cmvn"].tensor("mean", [mels]).values,
        try weights["cmvn"].tensor("istd", [mels]).values
      )
    } else {
      cmvn = nil
    }
    if let decoder = config.decoder {
      self.decoder = try BidirectionalDecoder(weights["decoder"], decoder)
    } else {
      decoder = nil
    }
    try weights.requireAllUsed()
  }
}
