import Conformer
import Decoding
import Tensor

/// The attention decoder with one utterance's frames, as the searches see it.
final class DecoderScorer: AttentionScorer {
  /// A hypothesis: a row of a batch that was stepped together.
  struct State {
    fileprivate let batch: Batch
    fileprivate let row: Int
  }

  fileprivate final class Batch {
    let state: DecoderState
    init(_ state: DecoderState) { self.state = state }
  }

  private let decoder: BidirectionalDecoder
  private let memory: BidirectionalMemory
  private let run: DecoderRun
  private let scratch: ScratchArena
  private let maximumLength: Int

  /// - Parameters:
  ///   - frames: the encoder's outputs of the utterance, [T, d].
  ///   - usesRight: whether the right decoder will be asked.
  ///   - run: of the left decoder.
  init(
    _ decoder: BidirectionalDecoder, frames: MatrixView, usesRight: Bool, run: DecoderRun,
    scratch: ScratchArena
  ) {
    self.decoder = decoder
    self.run = run
    self.scratch = scratch
    memory = decoder.makeMemory(frames, usesRight: usesRight)
    // A text has at most one token a frame, and sos.
    maximumLength = frames.rows + 2
  }

  var vocabulary: Int { decoder.left.vocabulary }
  var sos: Int { decoder.left.startEnd }
  var eos: Int { decoder.left.startEnd }
  var hasReverse: Bool { memory.right != nil }

  func initialState() -> State {
    State(
      batch: Batch(decoder.left.makeState(utterances: [0], maximumLength: maximumLength)), row: 0)
  }

  func step(_ states: [State], tokens: [Int]) -> (states: [State], logProbs: [Float]) {
    guard let first = states.first else { return ([], []) }
    precondition(
      states.allSatisfy { $0.batch === first.batch }, "hypotheses of different lengths")
    var state = first.batch.state
    state.reorder(states.map(\.row))
    return scratch.scope {
      let logProbs = scratch.matrix(rows: tokens.count, columns: vocabulary)
      decoder.left.step(
        tokens, state: &state, memory: memory.left, run: run, into: logProbs, scratch: scratch)
      let batch = Batch(state)
      return (states.indices.map { State(batch: batch, row: $0) }, logProbs.values)
    }
  }

  func logProbs(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]] {
    let isLeft = direction == .left
    let (side, memory) = isLeft ? (decoder.left, memory.left) : (decoder.right!, memory.right!)
    let tree = PrefixTree(
      sequences.map { TokenSequence(isLeft ? $0 : $0.reversed()) }, start: sos)
    var rows: [Float] = []
    side.logProbs(
      tree, memory: memory, run: isLeft ? run : DecoderRun(), scratch: scratch
    ) { _, part in rows += part.values }
    return tree.rows.map { sequence in
      sequence.flatMap { rows[$0 * vocabulary..<($0 + 1) * vocabulary] }
    }
  }

  func score(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]] {
    switch direction {
    case .left:
      return decoder.left.targetLogProbs(
        sequences.map { TokenSequence($0) }, memory: memory.left, run: run, scratch: scratch)
    case .right:
      let scores = decoder.right!.targetLogProbs(
        sequences.map { TokenSequence($0.reversed()) }, memory: memory.right!, scratch: scratch)
      return scores.map { $0.dropLast().reversed() + $0.suffix(1) }
    }
  }
}
