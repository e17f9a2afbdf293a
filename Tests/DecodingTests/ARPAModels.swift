import Decoding
import Foundation
import TestSupport

/// A language model as a dictionary of n-grams, looked up as the definition of back-off says.
struct DictionaryModel {
  /// Log10 of each n-gram's probability and back-off weight.
  var grams: [[String]: (logProb: Double, backOff: Double)] = [:]
  var order = 1

  func log10(_ word: String, after history: some Collection<String>) -> Double {
    let context = Array(history.suffix(order - 1))
    if let gram = grams[context + [word]] { return gram.logProb }
    precondition(!context.isEmpty, "\(word) is no 1-gram")
    return (grams[context]?.backOff ?? 0) + log10(word, after: context.dropFirst())
  }

  /// The ARPA file, its n-grams in random order.
  func arpa(using generator: inout SeededGenerator) -> String {
    var text = "made by a test\n\n\\data\\\n"
    for length in 1...order {
      text += "ngram \(length)=\(grams.keys.count { $0.count == length })\n"
    }
    for length in 1...order {
      text += "\n\\\(length)-grams:\n"
      for gram in grams.keys.filter({ $0.count == length }).sorted(by: { $0.joined() < $1.joined() }
      )
      .shuffled(using: &generator) {
        let (logProb, backOff) = grams[gram]!
        text += "\(logProb)\t\(gram.joined(separator: " "))"
        text += length < order && backOff != 0 ? "\t\(backOff)\n" : "\n"
      }
    }
    return text + "\n\\end\\\n"
  }

  /// Random numbers; contexts of longer n-grams need not be n-grams themselves.
  static func random(
    _ words: [String], order: Int, grams count: Int, using generator: inout SeededGenerator
  ) -> DictionaryModel {
    var model = DictionaryModel(order: order)
    func numbers() -> (Double, Double) {
      (
        Double.random(in: -4...0, using: &generator),
        Bool.random(using: &generator) ? Double.random(in: -1...0.5, using: &generator) : 0
      )
    }
    for word in words { model.grams[[word]] = numbers() }
    if order > 1 {
      for _ in 0..<count {
        let length = Int.random(in: 2...order, using: &generator)
        model.grams[(0..<length).map { _ in words.randomElement(using: &generator)! }] = numbers()
      }
    }
    // The counts of the file name every length.
    for length in 1...order {
      model.grams[Array(repeating: words[0], count: length)] = numbers()
    }
    return model
  }

  /// A model whose probabilities sum to 1 after every history.
  static func normalized(
    _ words: [String], order: Int, using generator: inout SeededGenerator
  ) -> DictionaryModel {
    var model = DictionaryModel(order: order)
    let sizes = words.map { _ in Double.random(in: 0.1...1, using: &generator) }
    for (word, size) in zip(words, sizes) {
      model.grams[[word]] = (Foundation.log10(size / sizes.reduce(0, +)), 0)
    }
    for length in 1..<order {
      for context in model.grams.keys.filter({ $0.count == length }).sorted(by: {
        $0.joined(separator: " ") < $1.joined(separator: " ")
      }) {
        let listed = words.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
        let mass = 0.8 / Double(words.count)
        let lower = listed.map { pow(10, model.log10($0, after: context.dropFirst())) }
        let rest = 1 - Double(listed.count) * mass
        model.grams[context]!.backOff = Foundation.log10(rest / (1 - lower.reduce(0, +)))
        for word in listed { model.grams[context + [word]] = (Foundation.log10(mass), 0) }
      }
    }
    return model
  }
}

extension NGramModel {
  /// Reads `text` in portions of `portion` bytes.
  init(arpa text: String, portion: Int = .max) throws(LanguageModelError) {
    var parser = ARPAParser(file: "lm.arpa")
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
      let end = start + min(portion, bytes.count - start)
      let result = bytes[start..<end].withUnsafeBytes { part in
        Result { () throws(LanguageModelError) in try parser.accept(part) }
      }
      try result.get()
      start = end
    }
    self = try parser.finish()
  }

  /// Log-probabilities of `words` one after the other.
  func scores(_ words: [String]) -> [Double] {
    var context = sentenceStart
    return words.map {
      let (next, logProb) = score(word($0)!, after: context)
      context = next
      return logProb
    }
  }
}
