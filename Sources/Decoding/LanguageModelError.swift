/// What is wrong with a language model.
public struct LanguageModelError: Error, Equatable, CustomStringConvertible {
  public let file: String
  public let line: Int?
  public let reason: String

  public init(file: String, line: Int? = nil, reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  public var description: String {
    line.map { "\(file), line \($0): \(reason)" } ?? "\(file): \(reason)"
  }
}
