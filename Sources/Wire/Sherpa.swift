import Decoding
import Transcripts

/// Which of sherpa-onnx's streaming servers a client expects.
public enum SherpaVariant: String, CaseIterable, Sendable {
  /// Results with times, and `Done!` after the last.
  case native = "cpp"
  /// Results of text and segment alone.
  case python
}

/// What a client of a sherpa-onnx server says over its WebSocket.
public enum SherpaMessage: Equatable, Sendable {
  /// 32-bit floats, low byte first, all finite, full scale being ±1.
  case audio([UInt8])
  /// `Done`: no audio follows.
  case done

  /// - Parameter limit: most bytes of a message.
  public init(
    _ message: WebSocketMessage, limit: Int = 1 << 21
  ) throws(WireError) {
    try message.check(limit: limit)
    switch message {
    case .text(let bytes):
      guard bytes.elementsEqual("Done".utf8) else {
        throw WireError(
          .unexpectedMessage, "a text, expected samples as binary messages or the text 'Done'")
      }
      self = .done
    case .binary(let bytes):
      guard bytes.count.isMultiple(of: 4) else {
        throw WireError(.malformed, "\(bytes.count) bytes of audio, expected 32-bit floats")
      }
      // All bits of the exponent set: an infinity or NaN, which would stay in the caches for good.
      let strange = stride(from: 0, to: bytes.count, by: 4).first {
        bytes[$0 + 3] & 0x7F == 0x7F && bytes[$0 + 2] & 0x80 == 0x80
      }
      if let strange {
        throw WireError(.invalidValue, "sample \(strange / 4) of a message is not a finite number")
      }
      self = .audio(bytes)
    }
  }
}

/// What a sherpa-onnx server says.
public enum SherpaEvent: Equatable, Sendable {
  /// - Parameter isLast: whether nothing follows.
  case result(WireUtterance, isLast: Bool)
  /// All is said; the client closes.
  case done
  /// sherpa-onnx only closes. This is a text that no client takes for a result.
  case error(WireError)

  /// The event as the text of one message; nil where the variant has none.
  public func text(_ variant: SherpaVariant) -> String? {
    switch self {
    case .result(let utterance, let isLast):
      let members =
        variant == .python
        ? [("text", JSONText.string(utterance.text)), ("segment", .int(utterance.index))]
        : utterance.sherpaMembers(isLast: isLast)
      return JSONText.object(members).compact
    case .done: return variant == .python ? nil : "Done!"
    case .error(let error):
      return JSONText.object([("error", .string(error.message))]).compact
    }
  }
}

extension WireUtterance {
  /// Words stand for sherpa's pieces, the space before each included as in its own. Their times
  /// count from `start_time`.
  fileprivate func sherpaMembers(isLast: Bool) -> [(String, JSONText)] {
    [
      ("text", .string(text)),
      ("tokens", .array(words.map { .string(" " + $0.word) })),
      ("timestamps", .array(words.map { .seconds($0.start - start) })),
      ("ys_probs", .array(words.map(JSONText.logProbability))),
      ("lm_probs", .array([])),
      ("context_scores", .array([])),
      ("segment", .int(index)),
      // Numbers of words in a decoding graph, of which there is none.
      ("words", .array([])),
      ("start_time", .seconds(start)),
      ("is_final", .bool(isFinal)),
      ("is_eof", .bool(isLast)),
    ]
  }
}
