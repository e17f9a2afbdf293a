/// Reads a WAV header that may arrive in any pieces, keeping only what it needs.
struct WAVHeaderParser {
  private enum Step {
    case riff, chunk, format, sizes
  }

  /// A header with more chunks before its samples is noise that happens to begin like a WAV.
  private static let maximumChunks = 4096

  let name: String
  /// Set once the samples begin.
  private(set) var header: WAVHeader?
  /// Bytes taken so far.
  private(set) var position = 0
  /// Bytes ahead that hold nothing of interest; a file may seek over them (`skip`).
  private(set) var bytesToSkip = 0
  private var step = Step.riff
  private var buffer: [UInt8] = []
  private var wanted = 12
  private var skipAfterKept = 0
  private var chunks = 0
  private var format: [UInt8] = []
  private var isRF64 = false
  private var longDataLength: UInt64?

  init(name: String) { self.name = name }

  /// Bytes to read next when nothing is to be skipped.
  var bytesNeeded: Int { wanted - buffer.count }

  /// Whether a stream that begins with these bytes (up to 12) is a WAV; nil: too few to tell.
  static func recognizes(_ prefix: [UInt8]) -> Bool? {
    let magics = ["RIFF", "RF64", "BW64"].map { Array($0.utf8) }
    guard magics.contains(where: { $0.starts(with: prefix.prefix(4)) }) else { return false }
    let form = prefix.dropFirst(8).prefix(4)
    guard "WAVE".utf8.starts(with: form) else { return false }
    return form.count == 4 ? true : nil
  }

  /// Passes over `count` bytes without looking, at most `bytesToSkip`.
  mutating func skip(_ count: Int) {
    position += count
    bytesToSkip -= count
  }

  /// Takes bytes up to the first sample; returns how many it took.
  mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(AudioError) -> Int {
    var taken = 0
    while taken < bytes.count, header == nil {
      let left = bytes.count - taken
      if bytesToSkip > 0 {
        let count = min(left, bytesToSkip)
        skip(count)
        taken += count
        continue
      }
      let count = min(left, bytesNeeded)
      buffer.append(contentsOf: bytes[taken..<taken + count])
      position += count
      taken += count
      if bytesNeeded == 0 { try advance() }
    }
    return taken
  }

  /// Handles a complete `buffer`.
  private mutating func advance() throws(AudioError) {
    switch step {
    case .riff:
      guard Self.recognizes(buffer) == true else {
        throw malformed("no 'RIFF … WAVE' at its start")
      }
      isRF64 = buffer[1] != UInt8(ascii: "I")
      expect(.chunk, 8)
    case .chunk:
      try beginChunk()
    case .format:
      format = buffer
      bytesToSkip = skipAfterKept
      expect(.chunk, 8)
    case .sizes:
      longDataLength = buffer.littleEndian(8, UInt64.self)
      bytesToSkip = skipAfterKept
      expect(.chunk, 8)
    }
  }

  private mutating func expect(_ next: Step, _ count: Int) {
    step = next
    wanted = count
    buffer.removeAll(keepingCapacity: true)
  }

  private mutating func beginChunk() throws(AudioError) {
    chunks += 1
    guard chunks <= Self.maximumChunks else {
      throw malformed("over \(Self.maximumChunks) chunks and no 'data' among them")
    }
    let id = String(decoding: buffer.prefix(4), as: UTF8.self)
    let size = buffer.littleEndian(4, UInt32.self)
    switch id {
    case "data":
      header = try makeHeader(size)
    case "fmt ":
      guard size >= 16 else { throw malformed("its 'fmt ' chunk has \(size) bytes, expected 16") }
      take(.format, size, atMost: 40)
    case "ds64" where isRF64:
      guard size >= 24 else { throw malformed("its 'ds64' chunk has \(size) bytes, expected 24") }
      take(.sizes, size, atMost: 24)
    default:
      bytesToSkip = Int(size) + Int(size & 1)
      expect(.chunk, 8)
    }
  }

  /// Keeps the first bytes of a chunk; what lies behind them is skipped, with the byte that pads an
  /// odd chunk.
  private mutating func take(_ next: Step, _ size: UInt32, atMost limit: Int) {
    let kept = min(Int(size), limit)
    expect(next, kept)
    skipAfterKept = Int(size) + Int(size & 1) - kept
  }

  private func makeHeader(_ size: UInt32) throws(AudioError) -> WAVHeader {
    guard format.count >= 16 else { throw malformed("no 'fmt ' chunk before its 'data' chunk") }
    var tag = format.littleEndian(0, UInt16.self)
    // WAVE_FORMAT_EXTENSIBLE keeps the real tag in the first bytes of its sub-format.
    if tag == 0xFFFE, format.count >= 26 { tag = format.littleEndian(24, UInt16.self) }
    let channels = Int(format.littleEndian(2, UInt16.self))
    guard channels > 0 else { throw malformed("it states 0 channels") }
    return WAVHeader(
      formatTag: tag, channels: channels,
      sampleRate: Int(format.littleEndian(4, UInt32.self)),
      bitsPerSample: Int(format.littleEndian(14, UInt16.self)),
      blockAlign: Int(format.littleEndian(12, UInt16.self)),
      dataOffset: position, dataLength: dataLength(size), statesNoData: size == 0)
  }

  private func dataLength(_ size: UInt32) -> Int? {
    if isRF64, size == .max {
      guard let length = longDataLength, length > 0 else { return nil }
      return Int(exactly: length)
    }
    return size == 0 || WAVHeader.isUnknownLength(size) ? nil : Int(size)
  }

  private func malformed(_ problem: String) -> AudioError {
    .malformedHeader(file: name, problem: problem)
  }
}
