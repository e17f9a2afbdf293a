/// What is wrong with a file of weights, said to the person who supplied it.
public enum WeightError: Error, Equatable, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  case malformed(file: String, reason: String)
  case missing(file: String, tensor: String, expected: [Int])
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int])
  case wrongType(file: String, tensor: String, found: String, expected: String)
  case notFinite(file: String, tensor: String, index: Int)
  case unused(file: String, tensors: [String])

  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)"
    case .malformed(let file, let reason):
      "\(file): not a valid safetensors file: \(reason)"
    case .missing(let file, let tensor, let expected):
      "\(file): tensor '\(tensor)' of shape \(expected) is missing; the file and config.json "
        + "must come from the same model"
    case .wrongShape(let file, let tensor, let found, let expected):
      "\(file): tensor '\(tensor)' has shape \(found), expected \(expected) from config.json"
    case .wrongType(let file, let tensor, let found, let expected):
      "\(file): tensor '\(tensor)' is stored as \(found), expected \(expected)"
    case .notFinite(let file, let tensor, let index):
      "\(file): tensor '\(tensor)' has a NaN or an infinity at element \(index); "
        + "the file is damaged or the training diverged"
    case .unused(let file, let tensors):
      "\(file): \(tensors.count) tensor\(tensors.count == 1 ? "" : "s") that config.json does not "
        + "call for: " + tensors.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
        + (tensors.count > 3 ? ", …" : "")
    }
  }
}
