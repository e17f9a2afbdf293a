import Foundation

/// Reads an n-gram model in ARPA format, whose bytes may come in any portions.
///
/// ```
/// \data\
/// ngram 1=3
/// \1-grams:
/// -0.5  <s>  -0.3         log10 of the probability, the words, log10 of the back-off weight
/// \end\
/// ```
/// Lines before `\data\` and after `\end\` are ignored, as are blank ones.
public struct ARPAParser {
  private enum Section: Equatable {
    case preamble, counts, end
    case grams(order: Int)
  }

  /// Bytes in one line.
  private static let lineLimit = 1 << 16
  /// Lines before \data\.
  private static let preambleLimit = 10_000

  let file: String
  /// The current line.
  var line = 0
  private var section = Section.preamble
  /// Counts that the file states.
  private var stated: [Int] = []
  /// N-grams read so far in the section.
  private var found = 0
  /// The beginning of a line whose end has not come yet.
  private var carry: [UInt8] = []

  var words = WordTable()
  var trie = SequenceTrie()
  /// For each node its log-probability; NaN until its n-gram comes.
  var logProbs: [Float] = [.nan]
  var backOffs: [Float] = [0]

  /// - Parameter file: its name, for messages.
  public init(file: String) { self.file = file }

  /// Takes the next bytes of the file.
  public mutating func accept(_ bytes: UnsafeRawBufferPointer) throws(LanguageModelError) {
    var start = 0
    while start < bytes.count {
      guard let found = memchr(bytes.baseAddress! + start, 0x0A, bytes.count - start) else { break }
      let end = bytes.baseAddress!.distance(to: UnsafeRawPointer(found))
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      if carry.isEmpty { try take(piece) } else { try takeCarry(piece) }
      start = end + 1
    }
    carry.append(contentsOf: bytes[start...])
    guard carry.count <= Self.lineLimit else {
      line += 1
      throw fault("is longer than \(Self.lineLimit) bytes; is this an ARPA file?")
    }
  }

  /// The model, after the last bytes.
  public mutating func finish() throws(LanguageModelError) -> NGramModel {
    if !carry.isEmpty { try takeCarry(UnsafeRawBufferPointer(start: nil, count: 0)) }
    switch section {
    case .preamble:
      throw LanguageModelError(file: file, reason: "has no \\data\\ section; expected an ARPA file")
    case .counts:
      throw LanguageModelError(file: file, reason: "ends before its section \\1-grams:")
    case .grams(let order):
      throw LanguageModelError(
        file: file,
        reason: "ends in its section \\\(order)-grams: after \(found) of "
          + "\(stated[order - 1]) n-grams, without \\end\\; it is cut short")
    case .end:
      return NGramModel(
        file: file, counts: stated, words: words, trie: trie, logProbs: logProbs,
        backOffs: backOffs)
    }
  }

  /// Takes the line that `carry` and `rest` make.
  private mutating func takeCarry(_ rest: UnsafeRawBufferPointer) throws(LanguageModelError) {
    var whole: [UInt8] = []
    swap(&whole, &carry)
    whole.append(contentsOf: rest)
    let result = whole.withUnsafeBytes { bytes in
      Result { () throws(LanguageModelError) in try take(bytes) }
    }
    try result.get()
  }

  private mutating func take(_ bytes: UnsafeRawBufferPointer) throws(LanguageModelError) {
    line += 1
    var text = bytes[...]
    while let last = text.last, last == 0x0D || isBlank(last) { text = text.dropLast() }
    while let first = text.first, isBlank(first) { text = text.dropFirst() }
    if text.isEmpty { return }
    switch section {
    case .preamble:
      if text.elementsEqual("\\data\\".utf8) { section = .counts }
      guard line <= Self.preambleLimit else {
        throw fault("no \\data\\ section up to here; expected an ARPA file")
      }
    case .counts:
      if text.first == 0x5C { try takeHeader(text) } else { try takeCount(text) }
    case .grams(let order):
      // An n-gram begins with a number.
      if text.first == 0x5C { return try takeHeader(text) }
      try takeGram(UnsafeRawBufferPointer(rebasing: text), order: order, of: stated.count)
      found += 1
    case .end:
      return
    }
  }

  /// `ngram 2=1234`
  private mutating func takeCount(
    _ text: Slice<UnsafeRawBufferPointer>
  ) throws(LanguageModelError) {
    let compact = String(decoding: text, as: UTF8.self).filter { $0 != " " && $0 != "\t" }
    let fields = compact.dropFirst(5).split(separator: "=", omittingEmptySubsequences: false)
    guard compact.hasPrefix("ngram"), fields.count == 2, let order = Int(fields[0]),
      let count = Int(fields[1]), count >= 0
    else { throw fault("expected 'ngram ORDER=COUNT', found '\(printable(text))'") }
    guard order == stated.count + 1 else {
      throw fault("expected the count of \(stated.count + 1)-grams, found that of \(order)-grams")
    }
    guard order <= NGramModel.orderLimit else {
      throw fault("order \(order); at most \(NGramModel.orderLimit) is possible")
    }
    guard count < SequenceTrie.nodeLimit - stated.reduce(0, +) else {
      throw fault("\(count) n-grams; at most \(SequenceTrie.nodeLimit) in all are possible")
    }
    stated.append(count)
  }

  /// `\2-grams:` or `\end\`
  private mutating func takeHeader(
    _ text: Slice<UnsafeRawBufferPointer>
  ) throws(LanguageModelError) {
    var finished = 0
    if case .grams(let order) = section { finished = order }
    if finished > 0, found != stated[finished - 1] {
      throw fault(
        "section \\\(finished)-grams: has \(found) n-grams, but \\data\\ states "
          + "\(stated[finished - 1])")
    }
    guard !stated.isEmpty else { throw fault("\\data\\ states no counts") }
    let isLast = finished == stated.count
    let expected = isLast ? "\\end\\" : "\\\(finished + 1)-grams:"
    guard text.elementsEqual(expected.utf8) else {
      throw fault("expected the section \(expected), found '\(printable(text))'")
    }
    section = isLast ? .end : .grams(order: finished + 1)
    found = 0
  }

  func fault(_ reason: String) -> LanguageModelError {
    LanguageModelError(file: file, line: line, reason: reason)
  }
}
