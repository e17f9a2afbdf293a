import Foundation

/// Reads the `config.json` of any kind of model folder.
enum ConfigFile {
  private struct Header: Decodable {
    var format: String
  }

  /// The file as `type`, which checks its values itself.
  ///
  /// The format comes first: of a folder of another kind nothing else is worth saying.
  static func load<Config: Decodable>(
    _ type: Config.Type, _ path: String, format: String
  ) throws(ModelError) -> Config {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .unreadable(file: path, reason: whyUnreadable(path))
    }
    let found = try decode(Header.self, data, path).format
    guard found == format else {
      throw .field(file: path, name: "format", expected: "'\(format)'", found: "'\(found)'")
    }
    return try decode(type, data, path)
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ data: Data, _ path: String
  ) throws(ModelError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
      throw .notJSON(file: path, reason: reason(error, data))
    } catch {
      throw .notJSON(file: path, reason: "it is not valid JSON")
    }
  }

  /// The system's reason; Foundation's description of an error is long and full of its innards.
  private static func whyUnreadable(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      return errno == ENOENT ? "no such file" : String(cString: strerror(errno))
    }
    defer { close(file) }
    var byte: UInt8 = 0
    return read(file, &byte, 1) < 0 ? String(cString: strerror(errno)) : "reading failed"
  }

  private static func reason(_ error: DecodingError, _ data: Data) -> String {
    func name(_ path: [any CodingKey]) -> String {
      path.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      return "the field '\(name(context.codingPath + [key]))' is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return context.codingPath.isEmpty
        ? "it is not a JSON object"
        : "the field '\(name(context.codingPath))' is not of type \(type)"
    case .dataCorrupted(let context):
      if !context.codingPath.isEmpty {
        return "the field '\(name(context.codingPath))' has a value that is not known"
      }
      // The decoder takes a number that is no Int for damaged JSON, and says not where.
      let object = try? JSONSerialization.jsonObject(with: data)
      return object.flatMap { fieldWithoutInteger($0, []) }
        .map { "the field '\($0)' is not a whole number, or too large" }
        ?? "it is not valid JSON"
    @unknown default:
      return "\(error)"
    }
  }

  /// Name of a field below `value` that holds a number which is no Int.
  private static func fieldWithoutInteger(_ value: Any, _ path: [String]) -> String? {
    if let object = value as? [String: Any] {
      return object.sorted { $0.key < $1.key }.lazy
        .compactMap { fieldWithoutInteger($0.value, path + [$0.key]) }.first
    }
    return value is NSNumber && !(value is Int) ? path.joined(separator: ".") : nil
  }
}
