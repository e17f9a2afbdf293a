/// Which of the channels is heard.
public enum ChannelSelection: Equatable, Sendable {
  /// The mean of all channels.
  case downmix
  /// One channel, counted from 1.
  case channel(Int)

  /// What libsndfile accepts too; more is a damaged header.
  static let maximumChannels = 1024

  /// Throws for a number of channels that no audio has, or that lacks the selected one.
  func check(channels: Int, name: String) throws(AudioError) {
    guard (1...Self.maximumChannels).contains(channels) else {
      throw .unsupportedChannelCount(file: name, channels: channels)
    }
    if case .channel(let channel) = self, !(1...channels).contains(channel) {
      throw .noSuchChannel(file: name, channel: channel, channels: channels)
    }
  }

  /// Interleaved `[frames, channels]` -> mono `[frames]`.
  func mix(_ interleaved: UnsafeBufferPointer<Float>, channels: Int) -> [Float] {
    if channels == 1 { return Array(interleaved) }
    let frames = interleaved.count / channels
    return [Float](unsafeUninitializedCapacity: frames) { mono, count in
      switch self {
      case .channel(let channel):
        for t in 0..<frames { mono[t] = interleaved[t * channels + channel - 1] }
      case .downmix:
        for t in 0..<frames {
          var sum: Float = 0
          for c in 0..<channels { sum += interleaved[t * channels + c] }
          mono[t] = sum / Float(channels)
        }
      }
      count = frames
    }
  }
}
