import Transcripts

/// One event of the Wyoming protocol, of any type: a line of JSON, then more JSON, then bytes.
public struct WyomingFrame: Equatable, Sendable {
  public var type: String
  /// What stood in the line and what followed it, which counts where both have a key.
  public var data: [String: JSONValue]
  public var payload: [UInt8]

  public init(type: String, data: [String: JSONValue] = [:], payload: [UInt8] = []) {
    self.type = type
    self.data = data
    self.payload = payload
  }

  /// The frame as it is sent, its data behind the line.
  public var bytes: [UInt8] {
    Self.bytes(type: type, data: data.isEmpty ? nil : JSONText(.object(data)), payload: payload)
  }

  static func bytes(type: String, data: JSONText?, payload: [UInt8] = []) -> [UInt8] {
    let body = Array((data?.compact ?? "").utf8)
    let line = JSONText.members([
      ("type", .string(type)),
      ("data_length", body.isEmpty ? .null : .int(body.count)),
      ("payload_length", payload.isEmpty ? .null : .int(payload.count)),
    ])
    return Array((line.compact + "\n").utf8) + body + payload
  }
}

/// How long the parts of a Wyoming frame may be.
public struct WyomingLimits: Sendable {
  public var lineBytes = 1 << 16
  public var dataBytes = 1 << 18
  public var payloadBytes = 1 << 21

  public init() {}
}

/// Reads Wyoming frames from bytes as they come, over a socket or a pipe.
///
/// After an error every further call of `next` throws it again: where one frame is broken, nobody
/// knows where the next begins.
public struct WyomingReader: Sendable {
  private struct Header {
    var type: String
    var data: [String: JSONValue]
    var dataLength: Int
    var payloadLength: Int
  }

  private let limits: WyomingLimits
  private var queue = ByteQueue()
  private var header: Header?
  private var failure: WireError?
  private var isClosed = false

  public init(limits: WyomingLimits = WyomingLimits()) {
    self.limits = limits
  }

  public mutating func append(_ bytes: [UInt8]) {
    queue.append(bytes)
  }

  /// The client has closed its side: what is there is all.
  public mutating func close() { isClosed = true }

  /// The next frame; nil until more bytes come.
  public mutating func next() throws(WireError) -> WyomingFrame? {
    if let failure { throw failure }
    do throws(WireError) {
      let frame = try read()
      if frame == nil, isClosed, header != nil || queue.count > 0 {
        throw WireError(.truncated, "the connection ended within a frame")
      }
      return frame
    } catch {
      failure = error
      throw error
    }
  }

  private mutating func read() throws(WireError) -> WyomingFrame? {
    if header == nil {
      guard let line = try queue.takeLine(limit: limits.lineBytes) else { return nil }
      header = try parse(line)
    }
    guard var header, let body = queue.take(header.dataLength + header.payloadLength) else {
      return nil
    }
    self.header = nil
    if header.dataLength > 0 {
      let more = try JSONFields(JSONValue(parsing: Array(body[..<header.dataLength])), name: "data")
      header.data.merge(more.members) { $1 }
    }
    return WyomingFrame(
      type: header.type, data: header.data, payload: Array(body[header.dataLength...]))
  }

  private func parse(_ line: [UInt8]) throws(WireError) -> Header {
    let fields = try JSONFields(parsing: line)
    return Header(
      type: try fields.required("type", fields.string("type", limit: 256)),
      data: try fields.object("data")?.members ?? [:],
      dataLength: try length("data_length", in: fields, limit: limits.dataBytes),
      payloadLength: try length("payload_length", in: fields, limit: limits.payloadBytes))
  }

  private func length(
    _ field: String, in fields: JSONFields, limit: Int
  ) throws(WireError) -> Int {
    let length = try fields.int(field, in: 0...Int(Int32.max)) ?? 0
    guard length <= limit else {
      throw WireError(.tooLarge, "'\(field)' is \(length), expected \(limit) at most", field: field)
    }
    return length
  }
}
