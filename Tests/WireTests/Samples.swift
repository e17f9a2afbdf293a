import Decoding
import Testing
import Wire

/// Utterances that the tests send.
enum Sample {
  static let words = [
    Word(word: "hello", start: 0.5, end: 0.75, confidence: 1),
    Word(word: "wörld", start: 1, end: 1.25, confidence: 0.5),
  ]

  static let final = WireUtterance(
    index: 0, isFinal: true, text: "hello wörld", committed: "hello wörld", words: words,
    start: 0.5, end: 1.25)

  static let partial = WireUtterance(
    index: 1, isFinal: false, text: "so \"it", committed: "so", words: [], start: 2, end: 2.5)

  static let ranked: WireUtterance = {
    var utterance = final
    utterance.alternatives = [
      .init(text: "hello wörld", score: -1.5, words: words), .init(text: "hallo", score: -2.25),
    ]
    return utterance
  }()

  static func said(_ index: Int, _ text: String, committed: String? = nil) -> WireUtterance {
    WireUtterance(
      index: index, isFinal: committed == nil, text: text, committed: committed ?? text, words: [],
      start: 0, end: 0)
  }
}

/// Bytes of a text.
func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The same JSON, whatever the spacing and the order of keys.
func expectJSON(
  _ text: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let value = try JSONValue(parsing: utf8(text))
  let wanted = try JSONValue(parsing: utf8(expected))
  #expect(value == wanted, sourceLocation: sourceLocation)
}

/// The error that `body` throws; nil if none.
func failure(of body: () throws(WireError) -> Void) -> WireError? {
  do throws(WireError) {
    try body()
    return nil
  } catch {
    return error
  }
}

/// Portions of `bytes` cut at random places, empty ones included.
func portions(
  _ bytes: [UInt8], using generator: inout some RandomNumberGenerator
) -> [[UInt8]] {
  var cuts = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
    Int.random(in: 0...bytes.count, using: &generator)
  }
  cuts = [0] + cuts.sorted() + [bytes.count]
  return zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }
}

/// The same numbers in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
