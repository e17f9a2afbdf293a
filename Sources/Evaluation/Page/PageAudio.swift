/// What a page shows of an utterance's audio.
public struct PageAudio: Equatable, Sendable {
  /// Address for the player: relative to the page, or the audio itself as a `data:` address.
  public var source: String?
  /// Seconds.
  public var duration: Double?
  /// Estimated signal-to-noise ratio in dB.
  public var signalToNoise: Double?

  public init(source: String? = nil, duration: Double? = nil, signalToNoise: Double? = nil) {
    self.source = source
    self.duration = duration
    self.signalToNoise = signalToNoise
  }
}
