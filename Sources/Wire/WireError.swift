/// Why a message was refused, or why a session cannot go on, in any protocol.
///
/// Each protocol writes it as its own error message.
public struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong, for programs. The raw values are those of the native protocol.
  public enum Code: String, CaseIterable, Sendable {
    /// Not JSON, not UTF-8, not base64, not a frame of the protocol.
    case malformed
    case missingField = "missing_field"
    case unknownField = "unknown_field"
    /// A field of the wrong type or out of its range.
    case invalidValue = "invalid_value"
    /// Well-formed, but something this server does not do.
    case unsupported
    /// Longer than a limit.
    case tooLarge = "too_large"
    /// A message that does not belong here, such as audio before the session is open.
    case unexpectedMessage = "unexpected_message"
    /// The bytes ended within a message.
    case truncated
    case unauthorized
    /// A web page from elsewhere.
    case forbidden
    case notFound = "not_found"
    /// The server has as many sessions as it may have, or is shutting down.
    case busy
    case timeout
    case internalError = "internal"
  }

  public var code: Code
  /// What was expected and what was found, for people.
  public var message: String
  /// The field at fault: `hot_words[2].boost`.
  public var field: String?

  public init(_ code: Code, _ message: String, field: String? = nil) {
    self.code = code
    self.message = message
    self.field = field
  }

  public var description: String { message }
}
