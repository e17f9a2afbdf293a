/// Reads the body of `POST /v1/audio/transcriptions` as it comes.
///
/// After an error every further call of `next` throws it again.
public struct TranscriptionUpload: Sendable {
  public struct Limits: Sendable {
    public var form = MultipartLimits()
    /// Bytes of the file.
    public var fileBytes = 1 << 30
    /// Bytes of a field that is no file, and of all of them.
    public var fieldBytes = 1 << 16
    public var allFieldsBytes = 1 << 18

    public init() {}
  }

  public enum Event: Equatable, Sendable {
    /// Bytes of the file; any number of these.
    case file([UInt8])
    /// The form is whole: the last event. What was asked for may stand behind the file.
    case request(TranscriptionRequest)
  }

  private let limits: Limits
  private var form: MultipartReader
  private var fields: [(name: String, value: String)] = []
  private var part: MultipartReader.Part?
  private var value: [UInt8] = []
  private var fieldBytes = 0
  private var fileName: String?
  private var hasFile = false
  private var fileBytes = 0
  private var failure: WireError?

  /// - Parameter contentType: the header of the request.
  public init(contentType: String, limits: Limits = Limits()) throws(WireError) {
    self.limits = limits
    form = try MultipartReader(contentType: contentType, limits: limits.form)
  }

  public mutating func append(_ bytes: [UInt8]) {
    form.append(bytes)
  }

  /// The body has ended.
  public mutating func close() {
    form.close()
  }

  /// The next event; nil until more bytes come, and for good after the request.
  public mutating func next() throws(WireError) -> Event? {
    if let failure { throw failure }
    do throws(WireError) {
      while let event = try form.next() {
        if let event = try take(event) { return event }
      }
      return nil
    } catch {
      failure = error
      throw error
    }
  }

  private mutating func take(_ event: MultipartReader.Event) throws(WireError) -> Event? {
    switch event {
    case .part(let part):
      if part.name == "file" {
        guard !hasFile else {
          throw WireError(.invalidValue, "'file' is there twice", field: "file")
        }
        hasFile = true
        fileName = part.fileName
      }
      self.part = part
      value = []
      return nil
    case .content(let bytes) where part?.name == "file":
      fileBytes += bytes.count
      guard fileBytes <= limits.fileBytes else {
        throw WireError(
          .tooLarge, "a file of more than \(limits.fileBytes) bytes", field: "file")
      }
      return .file(bytes)
    case .content(let bytes):
      value += bytes
      fieldBytes += bytes.count
      guard value.count <= limits.fieldBytes, fieldBytes <= limits.allFieldsBytes else {
        throw WireError(
          .tooLarge,
          "a form with more than \(limits.fieldBytes) bytes in a field or "
            + "\(limits.allFieldsBytes) in all", field: part?.name)
      }
      return nil
    case .partEnd:
      guard let part, part.name != "file" else { return nil }
      guard let text = String(validating: value, as: UTF8.self) else {
        throw WireError(.malformed, "'\(part.name)' is not UTF-8", field: part.name)
      }
      fields.append((part.name, text))
      return nil
    case .end:
      guard hasFile else { throw WireError(.missingField, "'file' is missing", field: "file") }
      guard fileBytes > 0 else {
        throw WireError(.invalidValue, "'file' is empty", field: "file")
      }
      var request = try TranscriptionRequest(fields: fields)
      request.fileName = fileName
      return .request(request)
    }
  }
}
