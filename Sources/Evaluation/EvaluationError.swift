/// What is wrong with texts that are to be scored: where, what was expected, and what to do.
public struct EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// As the user named it.
  public let file: String
  /// From 1; nil where the fault is the whole file's.
  public let line: Int?
  public let reason: String

  public init(_ file: String, line: Int? = nil, _ reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  public var description: String { file + (line.map { ":\($0)" } ?? "") + ": " + reason }
}
