import Decoding

// How the types of this module look in JSON. The order of the keys is part of the format.

extension JSONText {
  /// A time in seconds.
  package static func seconds(_ value: Double) -> JSONText {
    .number(NumberText.seconds(value))
  }

  package static func words(_ words: [Word]) -> JSONText {
    .array(
      words.map { word in
        .object([
          ("word", .string(word.word)),
          ("start", .seconds(word.start)),
          ("end", .seconds(word.end)),
          ("confidence", .number(NumberText.confidence(word.confidence))),
        ])
      })
  }
}

extension TranscriptSegment {
  var json: JSONText {
    .object(
      [
        ("start", .seconds(start)),
        ("end", .seconds(end)),
        ("text", .string(text)),
        ("words", .words(words)),
      ] + JSONText.alternatives(alternatives))
  }
}

extension Transcript {
  /// With the segments: what `json` prints.
  var json: JSONText {
    .object([
      ("file", .string(file)),
      ("duration", .seconds(duration)),
      ("text", .string(text)),
      ("segments", .array(segments.map(\.json))),
    ])
  }

  /// With the words alone: what `jsonl` prints. Alternatives belong to segments, so they bring the
  /// segments along.
  var flatJSON: JSONText {
    let hasAlternatives = segments.contains { !$0.alternatives.isEmpty }
    return .object(
      [
        ("file", .string(file)),
        ("duration", .seconds(duration)),
        ("text", .string(text)),
        ("words", .words(words)),
      ] + (hasAlternatives ? [("segments", .array(segments.map(\.json)))] : []))
  }
}
