/// How long the parts of a form may be.
public struct MultipartLimits: Sendable {
  /// Bytes of the headers of one part.
  public var headerBytes = 1 << 14
  public var parts = 1100
  /// Bytes before the first part.
  public var preambleBytes = 1 << 16

  public init() {}
}

/// Reads a `multipart/form-data` body (RFC 7578) as it comes.
///
/// After an error every further call of `next` throws it again.
public struct MultipartReader: Sendable {
  public enum Event: Equatable, Sendable {
    case part(Part)
    /// Bytes of the content of the part; any number of these.
    case content([UInt8])
    /// The part is whole.
    case partEnd
    /// The form is whole; what follows is left out.
    case end
  }

  /// What stands above the content of a part.
  public struct Part: Equatable, Sendable {
    public var name: String
    /// Only a name: never to be opened.
    public var fileName: String?
    public var contentType: String?
  }

  private enum State {
    /// Before the first boundary.
    case preamble
    /// Behind a boundary: the end of its line, or the two dashes of the last one.
    case boundary
    case headers
    case content
    case ended
    case failed(WireError)
  }

  private let limits: MultipartLimits
  /// The line end before a boundary belongs to it.
  private let delimiter: [UInt8]
  private var queue = ByteQueue()
  private var state = State.preamble
  private var parts = 0
  private var skipped = 0
  private var isClosed = false

  /// - Parameter contentType: the header of the request.
  /// - Throws: `unsupported` if it is not `multipart/form-data` with a boundary.
  public init(
    contentType: String, limits: MultipartLimits = MultipartLimits()
  ) throws(WireError) {
    let header = HeaderValue(contentType)
    guard header.value.lowercased() == "multipart/form-data" else {
      throw WireError(
        .unsupported, "a body of another type, expected multipart/form-data", field: "Content-Type")
    }
    guard let boundary = header.parameters["boundary"], (1...70).contains(boundary.utf8.count),
      boundary.utf8.allSatisfy({ (0x20..<0x7F).contains($0) })
    else {
      throw WireError(
        .malformed, "expected multipart/form-data with a boundary of 1 to 70 characters",
        field: "Content-Type")
    }
    self.limits = limits
    delimiter = Array("\r\n--\(boundary)".utf8)
    // So that a boundary at the very start is one like the others.
    queue.append([13, 10])
  }

  public mutating func append(_ bytes: [UInt8]) {
    queue.append(bytes)
  }

  /// The body has ended.
  public mutating func close() { isClosed = true }

  /// The next event; nil until more bytes come, and for good after `end`.
  public mutating func next() throws(WireError) -> Event? {
    do throws(WireError) {
      while true {
        let before = queue.count
        if let event = try read() { return event }
        // The preamble and line ends give no event, but there may be one behind them.
        if queue.count == before { break }
      }
      switch state {
      case .ended: return nil
      default:
        guard isClosed else { return nil }
        throw WireError(.truncated, "the form ended before its last boundary")
      }
    } catch {
      state = .failed(error)
      throw error
    }
  }

  private mutating func read() throws(WireError) -> Event? {
    switch state {
    case .failed(let error): throw error
    case .ended:
      _ = queue.takeAll()
      return nil
    case .preamble:
      let (bytes, isWhole) = takeContent()
      skipped += bytes.count
      guard skipped <= limits.preambleBytes else {
        throw WireError(.malformed, "expected a boundary at the start of the form")
      }
      if isWhole { state = .boundary }
      return nil
    case .boundary: return try afterBoundary()
    case .headers: return try headers()
    case .content:
      let (bytes, isWhole) = takeContent()
      if !bytes.isEmpty { return .content(bytes) }
      guard isWhole else { return nil }
      state = .boundary
      return .partEnd
    }
  }

  /// The bytes that are surely content, and whether the boundary is next, which is taken then.
  private mutating func takeContent() -> (bytes: [UInt8], isWhole: Bool) {
    let place = queue.place(of: delimiter)
    if place.isWhole, place.offset == 0 {
      _ = queue.take(delimiter.count)
      return ([], true)
    }
    return (queue.take(place.offset) ?? [], false)
  }

  private mutating func afterBoundary() throws(WireError) -> Event? {
    guard let mark = queue.peek(2) else { return nil }
    if mark.elementsEqual("--".utf8) {
      state = .ended
      return .end
    }
    // Spaces may stand between a boundary and the end of its line.
    guard let line = try queue.takeLine(limit: 128) else { return nil }
    guard line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
      throw WireError(.malformed, "expected a line end behind a boundary")
    }
    parts += 1
    guard parts <= limits.parts else {
      throw WireError(.tooLarge, "more than \(limits.parts) parts in a form")
    }
    state = .headers
    return nil
  }

  private mutating func headers() throws(WireError) -> Event? {
    let end = queue.place(of: [13, 10, 13, 10])
    guard end.offset <= limits.headerBytes else {
      throw WireError(
        .tooLarge, "headers of a part of more than \(limits.headerBytes) bytes in a form")
    }
    guard end.isWhole, let block = queue.take(end.offset + 4) else { return nil }
    state = .content
    return .part(try Part(headers: block.dropLast(4)))
  }
}
