import Conformer

/// How much audio a stream waits for before it says what it heard.
public enum Latency: Hashable, Sendable {
  /// Blocks of `newFrames` C and `lookAheadFrames` R encoder frames of 40 ms.
  case blocks(newFrames: Int, lookAheadFrames: Int)
  /// The whole audio at once, as a full-context model is meant to be run.
  ///
  /// Longer audio than 40 seconds is heard in blocks of 40 seconds with 2.6 seconds of look-ahead:
  /// memory stays bounded, and a network trained on sentences gains nothing from more
  /// (Benchmarks/README.md).
  case fullContext

  /// Names and their blocks; worst-case delay (C + R) · 40 ms.
  public static let named: [(name: String, latency: Latency)] = [
    ("160ms", .blocks(newFrames: 2, lookAheadFrames: 2)),
    ("320ms", .blocks(newFrames: 4, lookAheadFrames: 4)),
    ("640ms", .blocks(newFrames: 8, lookAheadFrames: 8)),
    ("960ms", .blocks(newFrames: 16, lookAheadFrames: 8)),
    ("1280ms", .blocks(newFrames: 16, lookAheadFrames: 16)),
    ("full", .fullContext),
  ]

  /// Most frames of a block that a user may ask for: a minute.
  static let longestBlock = 1500
  static let fullContextBlock = (newFrames: 1000, lookAheadFrames: 64)

  /// Reads a name or `C/R` in frames; nil if it is neither.
  public init?(_ text: String) {
    if let named = Self.named.first(where: { $0.name == text }) {
      self = named.latency
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let newFrames = Int(parts[0]), let lookAhead = Int(parts[1]),
      (1...Self.longestBlock).contains(newFrames), (0...Self.longestBlock).contains(lookAhead)
    else { return nil }
    self = .blocks(newFrames: newFrames, lookAheadFrames: lookAhead)
  }

  /// New frames and look-ahead frames of a block, C and R.
  public var blockFrames: (newFrames: Int, lookAheadFrames: Int) {
    switch self {
    case .blocks(let newFrames, let lookAheadFrames): (newFrames, lookAheadFrames)
    case .fullContext: Self.fullContextBlock
    }
  }

  /// The blocks of a stream that looks back on `leftContext` frames.
  func shape(leftContext: LeftContext) -> BlockShape {
    let (newFrames, lookAheadFrames) = blockFrames
    return BlockShape(
      newFrames: newFrames, lookAheadFrames: lookAheadFrames, leftContext: leftContext.limit)
  }
}

/// How far attention looks back.
public enum LeftContext: Hashable, Sendable {
  /// Encoder frames of 40 ms.
  case frames(Int)
  /// Everything since the start: memory and time per block grow with the stream.
  case unlimited

  /// Reads a number of frames or `unlimited`; nil if it is neither.
  public init?(_ text: String) {
    if text == "unlimited" {
      self = .unlimited
    } else if let frames = Int(text), (0...100_000).contains(frames) {
      self = .frames(frames)
    } else {
      return nil
    }
  }

  var limit: Int? {
    switch self {
    case .frames(let frames): frames
    case .unlimited: nil
    }
  }
}
