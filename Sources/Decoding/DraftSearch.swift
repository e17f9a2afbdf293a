/// Greedy attention search that verifies a draft instead of stepping token by token (as speculative
/// decoding, Leviathan et al. 2023, with CTC greedy search for the draft model).
///
/// One parallel pass tells what the decoder would say after every token of the draft. The draft is
/// accepted up to the first difference; there the decoder's own token is taken, and what remains of
/// the draft is put after it and verified in the next pass. Every pass settles at least one token,
/// all of them those that `AttentionGreedy` would find, so the result is the same in at most as
/// many passes. A draft that the decoder agrees with takes one.
public struct DraftSearch: Sendable {
  /// Most tokens of a text.
  public let maxLength: Int
  /// How far ahead in the draft the decoder's token is looked for after a difference.
  private static let reach = 8

  public init(maxLength: Int) {
    precondition(maxLength >= 0)
    self.maxLength = maxLength
  }

  /// - Parameter draft: tokens, such as those of CTC greedy search.
  public func search(_ attention: some AttentionScorer, draft: [Int]) -> AttentionResult {
    var result = AttentionResult(tokens: [], logProbs: [], ended: false, passes: 0)
    // Places in the draft at which it may go on.
    var places = [0]
    while !result.ended, result.tokens.count < maxLength {
      let verified = result.tokens
      let room = maxLength - verified.count
      // Row j verifies token j + 1, so a last token without room to follow needs not be read.
      let continuations = places.map { draft[$0...].prefix(room - 1) }
      let rows = attention.logProbs(continuations.map { verified + $0 }, .left)
      result.passes += 1
      let accepted = zip(rows, continuations).map {
        verify($1, rows: $0, from: verified.count, attention)
      }
      var longest = 0
      for index in accepted.indices
      where accepted[index].logProbs.count > accepted[longest].logProbs.count {
        longest = index
      }
      result.tokens += accepted[longest].tokens
      result.logProbs += accepted[longest].logProbs
      result.ended = accepted[longest].ended
      places = resumptions(
        draft, from: min(draft.count, places[longest] + accepted[longest].tokens.count - 1),
        after: accepted[longest].tokens.last)
    }
    return result
  }

  /// What the decoder says along a continuation, up to and with its first own token.
  private func verify(
    _ continuation: ArraySlice<Int>, rows: [Float], from start: Int,
    _ attention: some AttentionScorer
  ) -> (tokens: [Int], logProbs: [Float], ended: Bool) {
    var (tokens, logProbs): ([Int], [Float]) = ([], [])
    let vocabulary = attention.vocabulary
    for (offset, drafted) in (continuation.map(Optional.some) + [nil]).enumerated() {
      let row = (start + offset) * vocabulary
      let (id, logProb) = attention.best(rows[row..<row + vocabulary])
      logProbs.append(logProb)
      if id == attention.eos { return (tokens, logProbs, true) }
      tokens.append(id)
      if id != drafted { break }
    }
    return (tokens, logProbs, false)
  }

  /// Where the draft may go on after the decoder has put `token` in place of `draft[place]`: after
  /// that place if it was a substitution, at it if it was an insertion, after the next such token in
  /// the draft if tokens were deleted.
  private func resumptions(_ draft: [Int], from place: Int, after token: Int?) -> [Int] {
    guard place < draft.count else { return [draft.count] }
    var places = [place + 1, place]
    if let token, let found = draft[(place + 1)...].prefix(Self.reach).firstIndex(of: token) {
      places.append(found + 1)
    }
    return places
  }
}
