/// An option of a search that is out of its range.
public struct SearchOptionError: Error, Equatable, CustomStringConvertible {
  public let option: String
  public let expected: String
  public let found: String

  public var description: String { "\(option) is \(found), expected \(expected)" }

  /// Throws unless `isValid`.
  static func check(
    _ isValid: Bool, _ option: String, _ found: some CustomStringConvertible, _ expected: String
  ) throws(SearchOptionError) {
    guard isValid else {
      throw SearchOptionError(option: option, expected: expected, found: found.description)
    }
  }
}
