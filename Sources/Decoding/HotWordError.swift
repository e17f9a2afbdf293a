/// What is wrong with a hot word.
public struct HotWordError: Error, Equatable, CustomStringConvertible {
  /// The file and line, or the number of the hot word in its list; nil if it concerns them all.
  public let place: String?
  public let reason: String

  public init(place: String? = nil, reason: String) {
    self.place = place
    self.reason = reason
  }

  public var description: String { place.map { "\($0): \(reason)" } ?? reason }
}
