import ArgumentParser
import Foundation
import Yams

/// Options of a command in a YAML file, under their long names without the dashes:
///
///     listen:
///       - native=unix:/run/starling/starling.sock
///       - http=127.0.0.1:8080
///     latency: 640ms
///     vad: true
struct ConfigurationFile {
  private let path: String
  private let fields: [(name: String, node: Node)]

  init(path: String) throws(ConfigurationError) {
    self.path = path
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw ConfigurationError(path: path, field: nil, reason: "cannot be read as UTF-8 text")
    }
    let root: Node?
    do { root = try Yams.compose(yaml: text) } catch {
      throw ConfigurationError(path: path, field: nil, reason: "expected YAML: \(error)")
    }
    guard let mapping = root?.mapping else {
      throw ConfigurationError(path: path, field: nil, reason: "expected fields 'option: value'")
    }
    fields = mapping.map { ($0.key.scalar?.string ?? "?", $0.value) }
  }

  /// The command with the options of the file, and in their place those of the command line that
  /// have the same name.
  func merged<Command: ParsableCommand>(
    with given: [String], as type: Command.Type
  ) throws(ConfigurationError) -> Command {
    var options: [[String]] = []
    for (name, node) in fields {
      guard name != "config", name != "check-config" else {
        throw error(name, node, "belongs on the command line")
      }
      let isGiven = given.contains { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") }
      options.append(isGiven ? [] : try arguments(name, node))
    }
    do { return try Command.parse(options.flatMap { $0 } + given) } catch let fault {
      let message = Command.message(for: fault)
      func isGood(_ arguments: [String]) -> Bool { (try? Command.parse(arguments)) != nil }
      // The field without which all is well, or else the first that is bad by itself.
      let culprit =
        options.indices.first { index in
          var others = options
          others.remove(at: index)
          return isGood(others.flatMap { $0 } + given)
        } ?? options.indices.first { !isGood(options[$0]) }
      guard let culprit else {
        throw ConfigurationError(path: path, field: nil, reason: message)
      }
      let (name, node) = fields[culprit]
      throw error(
        name, node,
        message.hasPrefix("Unknown option") ? "is unknown; see --help for what there is" : message)
    }
  }

  private func arguments(_ name: String, _ node: Node) throws(ConfigurationError) -> [String] {
    if let items = node.sequence {
      var arguments: [String] = []
      for item in items { arguments += try self.arguments(name, item) }
      return arguments
    }
    guard let scalar = node.scalar else { throw error(name, node, "expected a value or a list") }
    switch node.bool {
    case true?: return ["--\(name)"]
    case false?: return []
    case nil: return ["--\(name)=\(scalar.string)"]
    }
  }

  private func error(_ field: String, _ node: Node, _ reason: String) -> ConfigurationError {
    ConfigurationError(path: path, field: field, line: node.mark?.line, reason: reason)
  }
}

/// A configuration file that cannot be used.
struct ConfigurationError: Error, CustomStringConvertible {
  let path: String
  let field: String?
  var line: Int?
  let reason: String

  var description: String {
    let place = line.map { ":\($0)" } ?? ""
    let reason = reason.split(separator: "\n").joined(separator: " ")
    return "'\(path)'\(place): " + (field.map { "field '\($0)': " } ?? "") + reason
  }
}
