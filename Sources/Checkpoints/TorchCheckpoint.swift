import Foundation

/// The tensors of a state dict that `torch.save` wrote: a zip archive with `<name>/data.pkl` and
/// one member `<name>/data/<key>` for each storage.
package struct TorchCheckpoint: Sendable {
  /// What error messages call this checkpoint.
  package let source: String
  /// In the order of the file.
  package private(set) var names: [String] = []
  private var tensors: [String: PickledTensor] = [:]
  private let zip: ZipArchive
  /// `<name>/`
  private let folder: String

  package init(_ data: Data, source: String) throws(CheckpointError) {
    self.source = source
    zip = try ZipArchive(data, source: source)
    let pickles = zip.names.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    guard pickles.count == 1 else {
      throw .malformed(file: source, reason: "not a torch checkpoint: it has no single data.pkl")
    }
    folder = String(pickles[0].dropLast("data.pkl".count))
    if zip.names.contains(folder + "byteorder"),
      String(decoding: try zip.member(folder + "byteorder"), as: UTF8.self) != "little"
    {
      throw .malformed(file: source, reason: "its numbers are not little-endian; save it again")
    }
    let pickle = try PickleReader.read([UInt8](try zip.member(pickles[0])), source: source)
    for entry in try stateDict(pickle) {
      guard case .string(let name) = entry.key, case .tensor(let tensor) = entry.value else {
        continue
      }
      guard tensors.updateValue(tensor, forKey: name) == nil else {
        throw .malformed(
          file: source, reason: "two tensors are named '\(CheckpointError.printable(name))'")
      }
      names.append(name)
    }
    guard !names.isEmpty else {
      throw .malformed(file: source, reason: "its state dict holds no tensors")
    }
  }

  /// The shape of a tensor as the pickle states it; nil if there is none of that name.
  package func shape(_ name: String) -> [Int]? { tensors[name]?.shape }

  /// The numbers of the tensor `name`, checked against its storage, in row-major order.
  package func tensor(_ name: String) throws(CheckpointError) -> TorchTensor {
    guard let tensor = tensors[name] else {
      throw .malformed(
        file: source, reason: "it has no tensor '\(CheckpointError.printable(name))'")
    }
    let storage = tensor.storage
    let bytes = try zip.member(folder + "data/" + storage.key)
    guard storage.count <= bytes.count / storage.type.size else {
      throw .malformed(
        file: source,
        reason: "the storage of tensor '\(CheckpointError.printable(name))' has \(bytes.count) "
          + "bytes, expected \(storage.count) elements of \(storage.type.size)")
    }
    guard let result = TorchTensor(tensor, storage: bytes) else {
      throw .malformed(
        file: source,
        reason: "tensor '\(CheckpointError.printable(name))' reaches outside its storage")
    }
    return result
  }

  /// The entries of the dictionary that maps names to tensors: the root, or `state_dict` in it.
  private func stateDict(_ root: PickleValue) throws(CheckpointError) -> [PickleEntry] {
    guard case .dictionary(let entries) = root else {
      throw .malformed(file: source, reason: "its pickle is not a state dict")
    }
    for entry in entries where entry.key == .string("state_dict") {
      if case .dictionary(let nested) = entry.value { return nested }
    }
    return entries
  }
}
