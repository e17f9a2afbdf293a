import Decoding
import Foundation
import TestSupport
import Testing

/// Where utterances end.
struct UtteranceDecoderTests {
  /// Classes: 0 "▁a", 1 "b", 2 "▁c", 3 "d", 4 blank. A frame is 0.1 s.
  private static let vocabulary = Vocabulary(pieces: ["▁a", "b", "▁c", "d"], blank: 4)

  private func decoder(
    silence: Double? = nil, noText: Double? = nil, longest: Double? = nil,
    threshold: Float = 0.8, beam: CTCPrefixBeamSearch? = nil
  ) -> UtteranceDecoder {
    UtteranceDecoder(
      vocabulary: Self.vocabulary,
      rules: EndpointRules(
        trailingSilence: silence, silenceWithoutText: noText, longestUtterance: longest,
        blankThreshold: threshold),
      frameSeconds: 0.1, beam: beam)
  }

  /// All utterances of a table, and for each the frames taken when it ended.
  private func run(
    _ decoder: UtteranceDecoder, _ table: Table, portions: [Range<Int>]? = nil,
    isSilent: ((Int) -> Bool)? = nil
  ) -> (utterances: [DecodedUtterance], frames: [Int], last: DecodedUtterance?) {
    var (decoder, utterances, frames) = (decoder, [DecodedUtterance](), [Int]())
    for range in portions ?? table.rows.indices.map({ $0..<$0 + 1 }) {
      let ended = table.withLogProbs(range) { decoder.advance($0, isSilent: isSilent) }
      utterances += ended
      frames += ended.map { _ in decoder.frameCount }
    }
    #expect(decoder.frameCount == table.rows.count)
    return (utterances, frames, decoder.finish())
  }

  @Test func silenceAfterTextEndsAnUtterance() {
    // Three silent frames are enough; those before the first token do not count.
    let table = Table([4, 4, 4, 4, 4, 0, 1, 4, 4, 3, 4, 4, 4, 4, 4, 4, 4, 2], classes: 5)
    let found = run(decoder(silence: 0.3), table)
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[0, 1, 3]])
    #expect(found.frames == [13])
    #expect(found.utterances[0].frames == 0..<13 && found.utterances[0].nextFrame == nil)
    #expect(found.last?.tokens.map(\.id) == [2])
    #expect(found.last?.frames == 12..<18 && found.last?.tokens[0].frame == 17)
  }

  @Test func silenceWithoutTextEndsAnUtterance() {
    // Seven silent frames, text, and nine silent ones of which two end the text.
    let table = Table([4, 4, 4, 4, 4, 4, 4, 0, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4], classes: 5)
    let found = run(decoder(silence: 0.2, noText: 0.3), table)
    #expect(found.frames == [3, 6, 11, 14, 17])
    #expect(found.utterances.map(\.isSilence) == [true, true, false, true, true])
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[], [], [0, 1], [], []])
    #expect(found.utterances.map(\.frames) == [0..<3, 3..<6, 0..<11, 11..<14, 14..<17])
    #expect(found.last == nil)
    // It says nothing of silence after text, nor does that rule of silence without.
    let never = run(decoder(noText: 0.3), table)
    #expect(never.frames == [3, 6] && never.last?.tokens.map(\.id) == [0, 1])
    #expect(run(decoder(silence: 0.3), table).frames == [12])
    // What is not silent interrupts it.
    let unsure = Table(
      rows: [0.9, 0.9, 0.7, 0.9, 0.9, 0.9].map { blank in
        [log(Float(1 - blank)), -9, -9, -9, log(Float(blank))]
      })
    #expect(run(decoder(noText: 0.3), unsure).frames == [6])
  }

  /// A token where a detector hears no speech: the silence begins after it.
  @Test func aTokenIsNoSilence() {
    let table = Table([4, 4, 4, 0, 4, 4, 4, 2, 4, 4], classes: 5)
    let found = run(decoder(silence: 0.3, noText: 0.4), table) { _ in true }
    #expect(found.frames == [7])
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[0]])
    #expect(found.last?.tokens.map(\.id) == [2])
  }

  /// A beam may hold text that greedy search does not: that is no empty utterance.
  @Test func whatOnlyABeamHearsIsText() {
    // The blank is best in each frame, and class 0 over all.
    let table = Table(
      rows: (0..<8).map { _ in
        [log(Float(0.4)), -9, -9, -9, log(Float(0.59))]
      })
    let beam = CTCPrefixBeamSearch(blank: 4)
    let found = run(decoder(noText: 0.4, threshold: 0.5, beam: beam), table)
    #expect(found.frames == [4, 8])
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[0], [0]])
    #expect(found.utterances.allSatisfy { !$0.isSilence && !$0.hypotheses.isEmpty })
  }

  /// Utterances without text, whatever the frames, rules, portions and detector: they come where
  /// they must, and all else is as if there were none.
  @Test func randomSilences() {
    var generator = SeededGenerator(seed: 13)
    var (silences, texts) = (0, 0)
    for round in 0..<400 {
      let table = Table(
        random: Int.random(in: 0...120, using: &generator), classes: 5, blank: 4, &generator)
      let silence: Double? = [nil, 0.2, 0.5].randomElement(using: &generator)!
      let longest: Double? = [nil, 0.5, 2].randomElement(using: &generator)!
      let limit = Int.random(in: 1...6, using: &generator)
      let heard = table.rows.map { _ in Int.random(in: 0..<4, using: &generator) > 0 }
      let isSilent: ((Int) -> Bool)? = round % 2 == 0 ? nil : { frame in heard[frame] }
      // In seconds that no rounding of frames can miss.
      let noText = (Double(limit) - 0.5) * 0.1
      let beam = round % 4 < 2 ? nil : CTCPrefixBeamSearch(blank: 4)
      let rules = decoder(silence: silence, noText: noText, longest: longest, beam: beam)
      let found = run(rules, table, isSilent: isSilent)
      let portioned = run(
        rules, table, portions: table.portions(&generator), isSilent: isSilent)
      #expect(portioned.utterances == found.utterances && portioned.last == found.last)
      for (utterance, end) in zip(found.utterances, found.frames) where utterance.isSilence {
        silences += 1
        #expect(utterance.tokens.isEmpty && utterance.hypotheses.isEmpty)
        #expect(utterance.frames == end - limit..<end)
      }
      guard beam == nil else { continue }

      let without = run(
        decoder(silence: silence, longest: longest), table, isSilent: isSilent)
      #expect(found.utterances.filter { !$0.isSilence } == without.utterances)
      #expect(found.last == without.last)
      // Each is silent throughout; between two ends and text none is missed.
      let tokens = Set(table.search(blank: 4).map(\.frame))
      var (run, hasText) = (0, false)
      var expected: [Int] = []
      for frame in table.rows.indices {
        let ended = zip(found.utterances, found.frames).contains {
          !$0.isSilence && ($0.nextFrame ?? $1) == frame
        }
        if ended { (run, hasText) = (0, false) }
        hasText = hasText || tokens.contains(frame)
        let silent = isSilent?(frame) ?? (exp(table.rows[frame][4]) > 0.8)
        run = silent && !tokens.contains(frame) ? run + 1 : 0
        if run == limit, !hasText {
          expected.append(frame + 1)
          run = 0
        }
      }
      #expect(zip(found.utterances, found.frames).filter { $0.0.isSilence }.map(\.1) == expected)
      texts += without.utterances.count
    }
    #expect(silences > 300 && texts > 300, "\(silences) silences, \(texts) texts")
  }

  @Test func silenceIsAProbabilityOfTheBlank() {
    let table = Table([0, 4, 4, 4, 4, 2], classes: 5, sure: 0.7)
    #expect(run(decoder(silence: 0.2, threshold: 0.8), table).utterances.isEmpty)
    #expect(run(decoder(silence: 0.2, threshold: 0.6), table).frames == [3])
    // The blank need not be the best class, nor the best class the blank.
    let unsure = Table(
      rows: [0.7, 0.7, 0.1, 0.7, 0.7].map { blank in
        [log(Float(0.3)), -9, -9, -9, log(Float(blank))]
      })
    #expect(run(decoder(silence: 0.2, threshold: 0.5), unsure).frames == [5])
    #expect(run(decoder(silence: nil), table).utterances.isEmpty)
  }

  @Test func longUtterancesEndBeforeAWord() {
    // 1 s is reached at frame 10, but only frame 13 begins a word.
    var best = Array(repeating: 4, count: 30)
    for (frame, id) in [(0, 0), (4, 2), (8, 0), (10, 1), (12, 3), (13, 2), (15, 3), (22, 0)] {
      best[frame] = id
    }
    let found = run(decoder(longest: 1), Table(best, classes: 5))
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[0, 2, 0, 1, 3]])
    #expect(found.frames == [14])
    #expect(found.utterances[0].nextFrame == 13)
    #expect(found.last?.tokens.map(\.id) == [2, 3, 0])
    // The cut is between the words, before the onset of the second.
    #expect(found.utterances[0].frames == 0..<13 && found.last?.frames == 13..<30)
  }

  @Test func exactlyAsLongIsTooLong() {
    var best = Array(repeating: 4, count: 12)
    (best[1], best[10]) = (0, 2)
    #expect(run(decoder(longest: 0.91), Table(best, classes: 5)).utterances.isEmpty)
    #expect(run(decoder(longest: 0.89), Table(best, classes: 5)).utterances.count == 1)
  }

  @Test func anUtteranceHasATokenAtLeast() {
    // A word after a long pause: too long at once, but never cut to nothing.
    let found = run(decoder(longest: 0), Table([4, 0, 4, 2, 2, 0, 1], classes: 5))
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[0], [2]])
    #expect(found.last?.tokens.map(\.id) == [0, 1])
    #expect(run(decoder(silence: 0.1), Table([4, 4, 4, 4], classes: 5)).utterances.isEmpty)
    #expect(run(decoder(), Table([], classes: 5)).last == nil)
    #expect(run(decoder(), Table([4, 4], classes: 5)).last == nil)
  }

  @Test func aTokenThatSoundsThroughAnEndIsOne() {
    // Silent by a low threshold while class 0 still holds.
    let rows = (0..<6).map { _ in [log(Float(0.5)), -9, -9, -9, log(Float(0.45))] }
    let found = run(decoder(silence: 0.2, threshold: 0.4), Table(rows: rows))
    #expect(found.utterances.map { $0.tokens.map(\.id) } == [[0]])
    #expect(found.last == nil)
  }

  /// Whatever the frames, rules and portions.
  @Test func randomTables() {
    var generator = SeededGenerator(seed: 11)
    var (ends, cuts) = (0, 0)
    for _ in 0..<400 {
      let table = Table(
        random: Int.random(in: 0...120, using: &generator), classes: 5, blank: 4, &generator)
      let silence = [nil, 0.1, 0.3, 0.7].randomElement(using: &generator)!
      let longest = [nil, 0, 0.5, 2].randomElement(using: &generator)!
      let threshold = [0.55, 0.8, 0.95].randomElement(using: &generator)! as Float
      let rules = decoder(silence: silence, longest: longest, threshold: threshold)
      let found = run(rules, table)
      let all = found.utterances + (found.last.map { [$0] } ?? [])

      // Portions do not matter.
      let portioned = run(rules, table, portions: table.portions(&generator))
      #expect(portioned.utterances == found.utterances && portioned.last == found.last)
      // Nothing is lost, doubled or changed.
      #expect(all.flatMap(\.tokens) == table.search(blank: 4))
      #expect(all.allSatisfy { !$0.tokens.isEmpty })
      for (index, utterance) in all.enumerated() {
        // Its frames hold its tokens and reach into the silence before, not into other tokens.
        #expect(utterance.tokens.allSatisfy { utterance.frames.contains($0.frame) })
        guard index > 0 else { continue }
        #expect(utterance.frames.lowerBound > all[index - 1].tokens.last!.frame)
        #expect(utterance.frames.lowerBound <= all[index - 1].frames.upperBound)
      }
      // Each end has its reason.
      for (index, utterance) in found.utterances.enumerated() {
        if let next = utterance.nextFrame {
          cuts += 1
          #expect(next == all[index + 1].tokens[0].frame)
          #expect(Self.vocabulary.startsWord(all[index + 1].tokens[0].id))
          #expect(Double(next - utterance.tokens[0].frame) * 0.1 >= longest! - 1e-9)
        } else {
          ends += 1
          let frames = Int((silence! * 10).rounded())
          let end = found.frames[index]
          #expect(end - frames > utterance.tokens[0].frame)
          #expect(table.rows[end - frames..<end].allSatisfy { exp($0[4]) > threshold })
          #expect(utterance.tokens.last!.frame < end - frames)
        }
      }
      // No end is missed.
      for utterance in all {
        for token in utterance.tokens.dropFirst() where Self.vocabulary.startsWord(token.id) {
          let length = Double(token.frame - utterance.tokens[0].frame) * 0.1
          #expect(longest.map { length < $0 + 1e-9 } ?? true)
        }
        guard let silence else { continue }
        let frames = Int((silence * 10).rounded())
        for (token, next) in zip(utterance.tokens, utterance.tokens.dropFirst()) {
          var run = 0
          for frame in token.frame..<next.frame {
            run = exp(table.rows[frame][4]) > threshold ? run + 1 : 0
            #expect(run < frames, "silence within an utterance")
          }
        }
      }
    }
    #expect(ends > 300 && cuts > 300, "\(ends) ends, \(cuts) cuts")
  }

  /// Tentative tokens are those that the frames would give, and leave no trace.
  @Test func lookingAheadChangesNothing() {
    var generator = SeededGenerator(seed: 12)
    for _ in 0..<100 {
      let table = Table(random: 60, classes: 5, blank: 4, &generator)
      var looking = decoder(silence: 0.3, longest: 2)
      var plain = looking
      for start in stride(from: 0, to: 60, by: 6) {
        let ended = table.withLogProbs(start..<start + 6) { looking.advance($0) }
        #expect(ended == table.withLogProbs(start..<start + 6) { plain.advance($0) })
        let ahead = start + 6..<min(start + 11, 60)
        let before = looking.tokens
        var tentative = [DecodedToken(id: 1, frame: 0, logProb: 0)]  // overwritten
        table.withLogProbs(ahead) { looking.readTokens(lookingAhead: $0, into: &tentative) }
        #expect(looking.tokens == before && looking.frameCount == start + 6)
        // Without rules, taking the frames gives the same tokens.
        var free = decoder()
        _ = table.withLogProbs(0..<ahead.upperBound) { free.advance($0) }
        let first = before.first?.frame ?? start + 6
        let expected = free.tokens.filter { $0.frame >= first }
        #expect(tentative == expected)
      }
      #expect(looking.finish() == plain.finish())
    }
  }
}
