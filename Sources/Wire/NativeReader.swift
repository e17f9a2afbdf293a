/// How long the parts of a native session may be.
public struct NativeLimits: Sendable {
  /// Bytes of the line that opens it.
  public var lineBytes = 1 << 18
  /// Bytes of one portion of audio with `length` framing.
  public var portionBytes = 1 << 20
  public var hotWords = 1000

  public init() {}
}

/// What a client of the native protocol says.
public enum NativeMessage: Equatable, Sendable {
  case open(NativeOptions)
  /// Samples in the declared encoding. With `raw` framing a portion may end within a sample.
  case audio([UInt8])
  /// No audio follows.
  case end
}

/// Reads the bytes of a client of the native protocol as they come.
///
/// After an error every further call of `next` throws it again.
public struct NativeReader: Sendable {
  private enum State {
    case opening
    case raw
    case framed
    case ended
    case failed(WireError)
  }

  private let limits: NativeLimits
  private var queue = ByteQueue()
  private var state = State.opening
  private var isClosed = false

  public init(limits: NativeLimits = NativeLimits()) {
    self.limits = limits
  }

  public mutating func append(_ bytes: [UInt8]) {
    queue.append(bytes)
  }

  /// The client has closed its side: what is there is all.
  public mutating func close() { isClosed = true }

  /// The next message; nil until more bytes come, and for good after `end`.
  public mutating func next() throws(WireError) -> NativeMessage? {
    do throws(WireError) {
      return try read()
    } catch {
      state = .failed(error)
      throw error
    }
  }

  private mutating func read() throws(WireError) -> NativeMessage? {
    switch state {
    case .failed(let error): throw error
    case .opening:
      guard let line = try queue.takeLine(limit: limits.lineBytes) else {
        return try waiting("the line that opens a session")
      }
      let options = try NativeOptions(parsing: line, hotWordLimit: limits.hotWords)
      state = options.framing == .raw ? .raw : .framed
      return .open(options)
    case .raw:
      if queue.count > 0 { return .audio(queue.takeAll()) }
      guard isClosed else { return nil }
      state = .ended
      return .end
    case .framed: return try portion()
    case .ended:
      guard queue.count == 0 else {
        throw WireError(.unexpectedMessage, "\(queue.count) bytes after the end of the audio")
      }
      return nil
    }
  }

  private mutating func portion() throws(WireError) -> NativeMessage? {
    guard let prefix = queue.peek(4) else { return try waiting("a portion of length 0") }
    let length = prefix.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= limits.portionBytes else {
      throw WireError(
        .tooLarge, "a portion of \(length) bytes, expected \(limits.portionBytes) at most")
    }
    guard let bytes = queue.take(4 + length) else {
      return try waiting("\(length) bytes of audio")
    }
    guard length > 0 else {
      state = .ended
      return .end
    }
    return .audio(Array(bytes.dropFirst(4)))
  }

  /// nil, unless nothing more can come.
  private func waiting(_ expected: String) throws(WireError) -> NativeMessage? {
    guard isClosed else { return nil }
    throw WireError(.truncated, "the connection ended, expected \(expected)")
  }
}
