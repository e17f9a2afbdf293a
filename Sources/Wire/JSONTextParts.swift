import Decoding
import Foundation
import Transcripts

extension JSONText {
  /// An object without its members that are null.
  static func members(_ members: [(String, JSONText)]) -> JSONText {
    .object(
      members.filter { _, value in
        if case .null = value { false } else { true }
      })
  }

  /// null for nil.
  static func text(_ text: String?) -> JSONText { text.map { .string($0) } ?? .null }

  /// null for nil.
  static func int(_ value: Int?) -> JSONText { value.map { .number(String($0)) } ?? .null }

  /// null for nil and for what JSON cannot write: infinities and NaN.
  static func real(_ value: Double?) -> JSONText {
    guard let value, value.isFinite else { return .null }
    return Int(exactly: value).map { .number(String($0)) } ?? .number("\(value)")
  }

  /// A score in nats; null for nil.
  static func score(_ value: Double?) -> JSONText {
    value.map { .number(NumberText.score($0)) } ?? .null
  }

  /// How sure the recogniser is of a word, as a logarithm.
  static func logProbability(_ word: Word) -> JSONText { .score(word.logProbability) }

  /// A JSON value as somebody sent it, keys in alphabetical order.
  init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .number(let number): self = .real(number)
    case .string(let text): self = .string(text)
    case .array(let items): self = .array(items.map(JSONText.init))
    case .object(let members):
      self = .object(members.sorted { $0.key < $1.key }.map { ($0.key, JSONText($0.value)) })
    }
  }
}

extension Word {
  /// The logarithm of its confidence, finite for a confidence of 0 too.
  var logProbability: Double { log(min(max(confidence, 1e-10), 1)) }
}
