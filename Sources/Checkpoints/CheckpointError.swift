/// What is wrong with a checkpoint, said to the person who wants to import it.
///
/// `file` names the archive as the caller gave it and, after a colon, the member inside it.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  case malformed(file: String, reason: String)
  /// The pickle asks for something that reading numbers does not need. `action` is what it does:
  /// "calls 'posix.system'".
  case refused(file: String, action: String)
  case missingMember(file: String, member: String)
  case unsupported(file: String, field: String, found: String, supported: String)
  case missingTensor(file: String, tensor: String, expected: [Int])
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int])
  case wrongType(file: String, tensor: String, found: String, expected: String)
  case unknownTensors(file: String, tensors: [String])
  case wrongVocabulary(file: String, source: String, found: Int, expected: Int)
  /// A model to be quantised that is int8 already.
  case alreadyInt8(file: String)
  case outputExists(directory: String)
  case unwritable(path: String, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)"
    case .malformed(let file, let reason):
      "\(file): \(reason)"
    case .refused(let file, let action):
      "\(file): the pickle \(action), which a state dict never does; refused"
    case .missingMember(let file, let member):
      "\(file): holds no '\(member)'; a NeMo archive has one at its top"
    case .unsupported(let file, let field, let found, let supported):
      "\(file): \(field) is \(found), but Starling runs only \(supported)"
    case .missingTensor(let file, let tensor, let expected):
      "\(file): tensor '\(tensor)' of shape \(expected) is missing"
    case .wrongShape(let file, let tensor, let found, let expected):
      "\(file): tensor '\(tensor)' has shape \(found), expected \(expected) from model_config.yaml"
    case .wrongType(let file, let tensor, let found, let expected):
      "\(file): tensor '\(tensor)' is stored as \(found), expected \(expected)"
    case .unknownTensors(let file, let tensors):
      "\(file): \(tensors.count) tensor\(tensors.count == 1 ? "" : "s") that a Conformer-CTC model "
        + "does not have: " + tensors.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
        + (tensors.count > 3 ? ", …" : "")
    case .wrongVocabulary(let file, let source, let found, let expected):
      "\(file): \(source) lists \(found) pieces, expected \(expected) from decoder.num_classes"
    case .alreadyInt8(let file):
      "\(file): is int8 already; quantise the model that it was made of"
    case .outputExists(let directory):
      "\(directory): is there already and not an empty folder; name a new one or remove it first"
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason)"
    }
  }

  /// `text` from inside a file, made safe for one line of a terminal: control characters replaced,
  /// at most 80 characters.
  static func printable(_ text: String) -> String {
    let safe = text.unicodeScalars.prefix(81).map { scalar -> Character in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned: "\u{FFFD}"
      default: Character(scalar)
      }
    }
    return safe.count > 80 ? String(safe.prefix(79)) + "…" : String(safe)
  }
}
