import Conformer
import Decoding
import Tensor

/// What an encoder makes of an utterance, run the way `RecognizerStream` runs it.
struct EncoderRun {
  /// Outputs of every layer for the final frames. [layers][frames · d]
  var layers: [[Float]] = []
  /// Log-probabilities of the final frames. [frames · vocabulary]
  var logProbs: [Float] = []
  /// Log-probabilities of each block's look-ahead frames. [blocks][frames · vocabulary]
  var lookAhead: [[Float]] = []

  /// - Parameter mel: normalised, [frames · mels].
  init(_ model: ConformerModel, mel: [Float], shape: BlockShape) {
    let scratch = ScratchArena()
    let config = model.config
    var stream = EncoderStream(encoder: model.encoder, shape: shape)
    var outputs = Array(repeating: [Float](), count: config.encoder.layers)
    var mel = mel[...]
    while true {
      let wanted = min(stream.melFramesWanted * config.features.mels, mel.count)
      if wanted > 0 {
        var frames = Array(mel.prefix(wanted))
        mel = mel.dropFirst(wanted)
        frames.withUnsafeMutableBufferPointer {
          stream.subsample(
            MatrixView(
              $0.baseAddress!, rows: $0.count / config.features.mels,
              columns: config.features.mels),
            isEnd: mel.isEmpty, scratch: scratch)
        }
      }
      guard let block = stream.nextBlock() else { break }
      scratch.scope {
        let rows = block.range.count
        let hidden = scratch.matrix(rows: rows, columns: config.encoder.width)
        stream.takeBlock(into: hidden, finalRows: block.finalRows)
        model.encoder.step(
          hidden, blocks: [block], scratch: scratch,
          afterLayer: { outputs[$0].append(contentsOf: $1.rows(0..<block.finalRows).values) })
        let all = scratch.matrix(rows: rows, columns: config.ctc.vocabulary)
        model.ctc.logProbs(hidden, into: all)
        logProbs.append(contentsOf: all.rows(0..<block.finalRows).values)
        lookAhead.append(all.rows(block.finalRows..<rows).values)
      }
    }
    layers = outputs
  }

  /// Greedy text of the final frames, without the recogniser's bookkeeping.
  func greedyText(_ vocabulary: Vocabulary) -> String {
    vocabulary.text(greedyTokens(vocabulary).map(\.id))
  }

  func greedyTokens(_ vocabulary: Vocabulary) -> [DecodedToken] {
    var search = CTCGreedySearch(blank: vocabulary.blank)
    var tokens: [DecodedToken] = []
    withLogProbs(vocabulary.count) { logProbs in
      for frame in 0..<logProbs.frames {
        search.advance(logProbs[frame], frame: frame, tokens: &tokens)
      }
    }
    return tokens
  }

  /// Calls `body` with the log-probabilities as searches take them.
  func withLogProbs<Result>(
    _ vocabulary: Int, _ body: (LogProbs) throws -> Result
  ) rethrows -> Result {
    try logProbs.withUnsafeBufferPointer {
      try body(
        LogProbs($0.baseAddress!, frames: $0.count / vocabulary, vocabulary: vocabulary))
    }
  }
}
