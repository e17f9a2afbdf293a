import Foundation
import Yams

extension NeMoConfig {
  private static let maximumBytes = 16 << 20

  /// - Parameter file: what error messages call the yaml.
  init(yaml: Data, file: String) throws(CheckpointError) {
    guard yaml.count <= Self.maximumBytes else {
      throw .malformed(file: file, reason: "a yaml of \(yaml.count) bytes is no model's")
    }
    guard let text = String(validating: yaml, as: UTF8.self) else {
      throw .malformed(file: file, reason: "the yaml is not UTF-8 text")
    }
    do {
      self = try YAMLDecoder().decode(NeMoConfig.self, from: text)
    } catch let error as DecodingError {
      throw .malformed(file: file, reason: Self.reason(error))
    } catch {
      throw .malformed(file: file, reason: Self.oneLine("\(error)"))
    }
  }

  private static func reason(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context):
      "the yaml has no field '\(path(context.codingPath + [key]))'"
    case .valueNotFound(_, let context):
      "the field '\(path(context.codingPath))' has no value"
    case .typeMismatch(let type, let context) where context.codingPath.isEmpty:
      "the yaml is not a mapping of fields (expected \(type))"
    case .typeMismatch(let type, let context):
      "the field '\(path(context.codingPath))' is not \(name(type))"
    case .dataCorrupted(let context):
      "the yaml is damaged: "
        + oneLine(context.underlyingError.map { "\($0)" } ?? context.debugDescription)
    @unknown default:
      "the yaml is damaged"
    }
  }

  private static func name(_ type: Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "a text"
    default: "of the expected kind"
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    CheckpointError.printable(keys.map { $0.stringValue }.joined(separator: "."))
  }

  private static func oneLine(_ text: String) -> String {
    CheckpointError.printable(
      text.split(whereSeparator: \.isNewline).joined(separator: " "))
  }
}
