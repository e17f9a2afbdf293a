/// One step of an alignment of a hypothesis with its reference.
public enum EditOperation: UInt8, Sendable {
  /// The same token on both sides.
  case match
  /// Another token in the place of the reference's.
  case substitution
  /// A token of the reference that the hypothesis lacks.
  case deletion
  /// A token of the hypothesis that the reference lacks.
  case insertion

  /// Whether it takes a token of the reference.
  public var usesReference: Bool { self != .insertion }
  /// Whether it takes a token of the hypothesis.
  public var usesHypothesis: Bool { self != .deletion }
}
