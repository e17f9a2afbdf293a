import Transcripts

/// What the server says in the native protocol, each as one line of JSON.
public enum NativeEvent: Equatable, Sendable {
  /// The session is open.
  case ready(Ready)
  /// A partial or final result.
  case result(WireUtterance)
  /// All is said.
  /// - Parameter seconds: of audio heard.
  case end(seconds: Double)
  case error(WireError)

  public struct Ready: Equatable, Sendable {
    /// Names the session in logs.
    public var session: String
    /// Lets a client that lost its connection go on; nil where that cannot be.
    public var resumeToken: String?
    /// Bytes of audio that this session has from before; the client goes on behind them.
    public var receivedBytes: Int
    /// The options as accepted.
    public var options: NativeOptions

    public init(
      session: String, resumeToken: String? = nil, receivedBytes: Int = 0, options: NativeOptions
    ) {
      self.session = session
      self.resumeToken = resumeToken
      self.receivedBytes = receivedBytes
      self.options = options
    }
  }

  /// The event, the line end included.
  public var line: String { JSONText.members(members).compact + "\n" }

  private var members: [(String, JSONText)] {
    switch self {
    case .ready(let ready):
      [
        ("type", .string("ready")),
        ("session", .string(ready.session)),
        ("resume_token", .text(ready.resumeToken)),
        ("received_bytes", .int(ready.receivedBytes)),
        ("options", .members(ready.options.described)),
      ]
    case .result(let utterance): utterance.nativeMembers
    case .end(let seconds): [("type", .string("end")), ("seconds", .seconds(seconds))]
    case .error(let error):
      [
        ("type", .string("error")),
        ("code", .string(error.code.rawValue)),
        ("message", .string(error.message)),
        ("field", .text(error.field)),
      ]
    }
  }
}

extension WireUtterance {
  /// As `starling stream --format jsonl` prints a result, but for the alternatives: a session
  /// keeps only their total scores.
  fileprivate var nativeMembers: [(String, JSONText)] {
    let alternatives = alternatives.map { alternative in
      JSONText.members([
        ("text", .string(alternative.text)), ("score", .score(alternative.score)),
      ])
    }
    return [
      ("type", .string(isFinal ? "final" : "partial")),
      ("utterance", .int(index)),
      ("text", .string(text)),
      ("committed", .string(committed)),
      ("start", .seconds(start)),
      ("end", .seconds(end)),
      ("words", .words(words)),
      ("alternatives", alternatives.isEmpty ? .null : .array(alternatives)),
    ]
  }
}
