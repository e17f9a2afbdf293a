import Foundation

/// The pieces of a NeMo model by class, "▁" marking the start of a word.
struct NeMoVocabulary {
  let pieces: [String]
  /// Where they come from, for error messages.
  let source: String

  static let wordStart: Character = "▁"

  /// Takes the list from the yaml, else from `tokenizer.vocab` (SentencePiece's), else from
  /// `vocab.txt` (NeMo's).
  init(
    _ config: NeMoConfig, archive: TarArchive, file: String
  ) throws(CheckpointError) {
    guard config.tokenizer?.type?.lowercased() != "agg" else {
      throw .unsupported(
        file: file, field: "tokenizer.type", found: "'agg'", supported: "a single tokenizer")
    }
    let classes = config.decoder.classes.flatMap { $0 > 0 ? $0 : nil }
    let found = try Self.lists(config, archive: archive, file: file)
    guard let first = found.first else {
      throw .malformed(
        file: archive.path,
        reason: "its pieces are listed neither in decoder.vocabulary of model_config.yaml nor in a "
          + "tokenizer.vocab or vocab.txt")
    }
    source = first.source
    var list = first.pieces
    // NeMo's vocab.txt leaves out SentencePiece's first piece.
    if source.hasSuffix("vocab.txt"), let classes, list.count == classes - 1 {
      list.insert("<unk>", at: 0)
    }
    if let classes, list.count != classes {
      throw .wrongVocabulary(file: file, source: source, found: list.count, expected: classes)
    }
    pieces = Self.withWordStarts(list)
    for (index, piece) in pieces.enumerated() {
      guard !piece.isEmpty, !piece.contains(where: { $0.isNewline || $0 == "\t" }) else {
        throw .malformed(
          file: file,
          reason: "piece \(index) of \(source), '\(CheckpointError.printable(piece))', is empty "
            + "or has a tab or a line break")
      }
    }
  }

  private static func lists(
    _ config: NeMoConfig, archive: TarArchive, file: String
  ) throws(CheckpointError) -> [(source: String, pieces: [String])] {
    if let pieces = config.decoder.vocabulary, !pieces.isEmpty {
      return [("decoder.vocabulary", pieces)]
    }
    var lists: [(source: String, pieces: [String])] = []
    for suffix in ["tokenizer.vocab", "vocab.txt"] {
      for member in archive.members where member.name.hasSuffix(suffix) {
        guard let data = member.data, let text = String(validating: data, as: UTF8.self) else {
          throw .malformed(
            file: "\(archive.path): \(member.name)", reason: "the vocabulary is not UTF-8 text")
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
          String(line.prefix { $0 != "\t" && $0 != "\r" })
        }
        if lines.last == "" { lines.removeLast() }
        lists.append((member.name, lines))
      }
    }
    return lists
  }

  /// Older NeMo files mark the pieces that continue a word, with "##", instead of those that
  /// start one; character models have a space.
  private static func withWordStarts(_ pieces: [String]) -> [String] {
    let marksContinuations =
      pieces.contains { $0.hasPrefix("##") && $0.count > 2 }
      && !pieces.contains { $0.first == wordStart && $0.count > 1 }
    return pieces.map { piece in
      if piece == " " { return String(wordStart) }
      guard marksContinuations, piece != String(wordStart) else { return piece }
      if piece.hasPrefix("##") { return String(piece.dropFirst(2)) }
      let isSpecial = piece.count > 2 && piece.hasPrefix("<") && piece.hasSuffix(">")
      return isSpecial ? piece : String(wordStart) + piece
    }
  }
}
