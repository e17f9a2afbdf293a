import Synchronization

/// Who may connect.
public final class Access: Sendable {
  private let token: Mutex<String?>
  /// Origins of the web pages that may.
  let origins: Set<String>

  /// - Parameters:
  ///   - token: what clients must know; nil if anybody may connect.
  ///   - origins: of web pages, `https://example.org`; a browser tells them, and no other client
  ///     does.
  public init(token: String? = nil, origins: Set<String> = []) {
    self.token = Mutex(token)
    self.origins = origins
  }

  public func replaceToken(_ new: String?) { token.withLock { $0 = new } }

  func admits(_ given: String?) -> Bool {
    guard let token = token.withLock({ $0 }) else { return true }
    guard let given else { return false }
    return Self.areEqual(given, token)
  }

  /// - Parameter origins: as a request has them; a client that is no browser has none.
  func admits(origins given: [String]) -> Bool { given.allSatisfy(origins.contains) }

  /// Compares in a time that tells nothing about where texts differ.
  static func areEqual(_ one: String, _ other: String) -> Bool {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    var difference = one.count ^ other.count
    for index in one.indices { difference |= Int(one[index] ^ other[index % max(1, other.count)]) }
    return difference == 0
  }
}
