/// Shows what the layers of a model make of some audio, to see into it.
public protocol LayerLens {
  /// Layers looked at.
  var layerCount: Int { get }
  /// Seconds of audio accepted so far.
  var duration: Double { get }

  /// Takes mono samples in ±1 at the model's sample rate.
  func accept(_ samples: some Collection<Float>)

  /// Ends the audio.
  ///
  /// - Returns: the text after each layer, the first layer first.
  func finish() -> [String]
}

/// Why a model cannot be looked into.
public struct LensError: Error, Equatable, CustomStringConvertible {
  public let model: String

  public var description: String {
    "model '\(model)' has no attention decoder to look through; look through its CTC head, or use "
      + "another model"
  }
}
