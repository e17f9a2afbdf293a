/// Gives equal tokens equal numbers, from 0, so that they are compared as numbers.
public struct TokenTable: Sendable {
  private var numbers: [String: Int32] = [:]
  /// Token of each number.
  public private(set) var tokens: [String] = []

  public init() {}

  public mutating func number(_ token: String) -> Int32 {
    if let number = numbers[token] { return number }
    let number = Int32(tokens.count)
    numbers[token] = number
    tokens.append(token)
    return number
  }

  public subscript(number: Int32) -> String { tokens[Int(number)] }
}
