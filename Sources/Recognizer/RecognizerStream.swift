import Audio
import Conformer
import Decoding
import Tensor

/// One speaker's audio on its way to text. Not for use from two threads at once.
public final class RecognizerStream {
  let model: RecognizerModel
  let options: RecognizerOptions
  private let workspace: Workspace
  private var logMel: LogMelStream
  private var normalizer: FeatureNormalizerStream
  private var encoderStream: EncoderStream
  var decoder: UtteranceDecoder
  private var voiceActivity: VoiceActivity?
  let finalDecoder: FinalDecoder
  var utteranceFrames: UtteranceFrames
  /// Mel frames that no block has taken yet. [n, mels]
  private var melFrames: [Float] = []
  private var sampleCount = 0
  /// Whether the last step took a chunk of this stream.
  private(set) var hasChunk = false
  /// Whether the audio has ended, and whether the last utterance has.
  private(set) var (finished, isClosed) = (false, false)
  var utterance = 0
  /// Peak of the last token of the utterances that have ended, and the end of their last word.
  var lastFrame: Int?
  var lastEnd = 0.0
  var lastPartial: LastPartial?
  /// Tokens of the utterance that goes on with those that the look-ahead frames suggest.
  private var tentativeTokens: [DecodedToken] = []
  /// Utterances that have ended and wait to be settled.
  private var unsettled: [(DecodedUtterance, nextFrame: Int?)] = []
  /// What the last chunk says of the utterance that goes on.
  var partial: Partial?
  /// Set it before the first sample.
  public var observer: StreamObserver?

  init(model: RecognizerModel, options: RecognizerOptions, workspace: Workspace) {
    self.model = model
    self.options = options
    self.workspace = workspace
    let streaming = model.config.streaming
    let latency =
      options.latency
      ?? .blocks(
        newFrames: streaming.blockFrames, lookAheadFrames: streaming.lookAheadFrames)
    logMel = LogMelStream(model.frontEnd)
    normalizer = FeatureNormalizerStream(
      model.normalizer, mels: model.config.features.mels)
    encoderStream = EncoderStream(
      encoder: model.networks.encoder,
      shape: latency.shape(
        leftContext: options.leftContext ?? .frames(streaming.leftFrames)))
    decoder = UtteranceDecoder(
      vocabulary: model.vocabulary, rules: options.endpointRules,
      frameSeconds: model.frameSeconds,
      beam: options.decoding.needsBeam
        ? options.decoding.makeBeam(blank: model.vocabulary.blank) : nil)
    voiceActivity = options.voiceActivityDetector.map {
      VoiceActivity($0, scratch: workspace.scratch)
    }
    finalDecoder = FinalDecoder(model, options.decoding)
    utteranceFrames = UtteranceFrames(width: model.config.encoder.width)
  }

  /// Seconds of audio accepted so far.
  public var duration: Double { Double(sampleCount) / Double(model.sampleRate) }

  /// Bytes of what the encoder remembers; constant unless the left context is unlimited.
  public var byteCount: Int { encoderStream.cache.byteCount }

  /// Takes mono samples in ±1 at the model's sample rate and returns what they changed.
  public func accept(_ samples: some Collection<Float>) -> [RecognitionResult] {
    take(samples)
    return decodeChunks()
  }

  /// Ends the audio and returns the last results, a final one at least: the flush hears every
  /// sample that was accepted.
  public func finish() -> [RecognitionResult] {
    end()
    var results = decodeChunks()
    if let empty = closeLastUtterance() { results.append(empty) }
    while let result = settleNext(workspace.scratch) { results.append(result) }
    return results
  }

  private func decodeChunks() -> [RecognitionResult] {
    var results: [RecognitionResult] = []
    while Self.decodeChunk(of: CollectionOfOne(self), workspace) > 0 {
      while let result = settleNext(workspace.scratch) { results.append(result) }
      if let partial = takePartial() { results.append(partial) }
    }
    return results
  }

  // The steps that `accept` and `finish` are made of, for whoever runs many streams together: take
  // samples, decode a chunk, settle what has ended, take the partial result, and over again.

  /// Takes samples without decoding them.
  func take(_ samples: some Collection<Float>) {
    precondition(!finished, "a finished stream accepts no samples")
    sampleCount += samples.count
    voiceActivity?.accept(samples)
    workspace.scratch.timed(.features) { logMel.accept(samples, into: &melFrames) }
  }

  /// Ends the audio without decoding what is left.
  func end() {
    precondition(!finished, "a stream finishes once")
    finished = true
    logMel.finish(into: &melFrames)
  }

  /// Samples without which there is no next chunk; there may have to be a few more.
  var samplesWanted: Int {
    let lacking = encoderStream.melFramesWanted - melFrames.count / model.config.features.mels
    return max(0, lacking - 1) * LogMelFrontEnd.shift
  }

  /// The way of one chunk: mel frames, encoder block, log-probabilities, search. Streams of one
  /// model go through the encoder together.
  ///
  /// - Returns: how many streams had frames enough for a block; they have `hasChunk` and each must
  ///   settle what has ended and take its partial result before its next chunk.
  static func decodeChunk(
    of streams: some Collection<RecognizerStream>, _ workspace: Workspace
  ) -> Int {
    defer {
      workspace.chunks.removeAll(keepingCapacity: true)
      workspace.blocks.removeAll(keepingCapacity: true)
    }
    let scratch = workspace.scratch
    var rows = 0
    for stream in streams {
      stream.hasChunk = false
      guard stream.subsampleMelFrames(scratch),
        let block = stream.encoderStream.nextBlock(at: rows)
      else { continue }
      stream.hasChunk = true
      rows = block.range.upperBound
      workspace.chunks.append(
        Chunk(stream: stream, rows: block.range, finalRows: block.finalRows))
      workspace.blocks.append(block)
    }
    guard let model = workspace.chunks.first?.stream.model else { return 0 }
    scratch.scope {
      // [C + R, d] of each stream: new frames, then look-ahead.
      let hidden = scratch.matrix(rows: rows, columns: model.config.encoder.width)
      let chunks = workspace.chunks
      for chunk in chunks { chunk.stream.takeBlock(chunk, into: hidden.rows(chunk.rows)) }
      model.networks.encoder.step(
        hidden, blocks: workspace.blocks, scratch: scratch,
        afterLayer: layerObserver(chunks, scratch))
      for chunk in chunks { chunk.stream.search(chunk, hidden.rows(chunk.rows), scratch) }
    }
    return workspace.chunks.count
  }

  /// One stream's block in a step over several streams.
  struct Chunk {
    let stream: RecognizerStream
    /// In the step's matrix.
    let rows: Range<Int>
    /// New frames; look-ahead follows.
    let finalRows: Int
  }

  private func takeBlock(_ chunk: Chunk, into hidden: MatrixView) {
    precondition(unsettled.isEmpty && partial == nil, "the last chunk's results were not taken")
    encoderStream.takeBlock(into: hidden, finalRows: chunk.finalRows)
    if keepsFrames { utteranceFrames.append(inputs: hidden, finalRows: chunk.finalRows) }
  }

  /// Searches the encoder's outputs of a block. [C + R, d]
  private func search(_ chunk: Chunk, _ hidden: MatrixView, _ scratch: ScratchArena) {
    if keepsFrames { utteranceFrames.append(outputs: hidden.rows(0..<chunk.finalRows)) }
    // The look-ahead frames' tentative outputs matter only to partial results.
    let heard = options.wantsPartials ? hidden.rows : chunk.finalRows
    scratch.scope {
      let logProbs = scratch.matrix(rows: heard, columns: model.vocabulary.count)
      scratch.timed(.ctc) {
        model.networks.ctc.logProbs(hidden.rows(0..<heard), into: logProbs)
      }
      let final = view(logProbs.rows(0..<chunk.finalRows))
      observer?.logProbs?(final)
      scratch.timed(.search) {
        search(final, lookAhead: view(logProbs.rows(chunk.finalRows..<heard)))
      }
    }
  }

  private func search(_ final: LogProbs, lookAhead: LogProbs) {
    unsettled = decoder.advance(final, isSilent: voiceActivity?.isSilent).map {
      // After a silence the next token is no earlier than the end of it.
      ($0, nextFrame: $0.nextFrame ?? $0.frames.upperBound)
    }
    voiceActivity?.drop(before: decoder.frameCount)
    guard options.wantsPartials else { return }
    if !options.isStable { decoder.readTokens(lookingAhead: lookAhead, into: &tentativeTokens) }
    let committed = decoder.tokens
    partial = Partial(
      tokens: options.isStable ? committed : tentativeTokens, committed: committed,
      frames: decoder.frameCount + lookAhead.frames)
  }

  /// Whether utterances have ended that are not settled yet.
  var hasUnsettled: Bool { !unsettled.isEmpty }

  /// Settles the next utterance that has ended; nil when all are.
  func settleNext(_ scratch: ScratchArena) -> RecognitionResult? {
    guard !unsettled.isEmpty else {
      utteranceFrames.drop(before: decoder.firstFrameNeeded(preRoll: UtteranceFrames.preRoll))
      return nil
    }
    let (ended, nextFrame) = unsettled.removeFirst()
    return scratch.timed(.finalPass) { final(ended, nextFrame: nextFrame, scratch) }
  }

  /// Ends the last utterance, after the last chunk.
  ///
  /// - Returns: the empty result of a stream in which nothing was said.
  func closeLastUtterance() -> RecognitionResult? {
    isClosed = true
    if let last = decoder.finish() {
      unsettled.append((last, nextFrame: nil))
      return nil
    }
    return utterance > 0
      ? nil : RecognitionResult(kind: .final, utterance: 0, text: "", committed: "", words: [])
  }

  /// Whether an utterance's frames are wanted when it ends.
  private var keepsFrames: Bool {
    finalDecoder.needsFrames || observer?.utterance != nil || observer?.ended != nil
  }

  /// Keeps each layer's output and reads the CTC head off it, for streams whose observers ask.
  private static func layerObserver(
    _ chunks: [Chunk], _ scratch: ScratchArena
  ) -> ((Int, MatrixView) -> Void)? {
    let observed = chunks.filter {
      $0.stream.observer?.layerLogProbs != nil || $0.stream.observer?.utterance != nil
    }
    if observed.isEmpty { return nil }
    return { layer, hidden in
      for chunk in observed {
        chunk.stream.observe(layer, hidden.rows(chunk.rows).rows(0..<chunk.finalRows), scratch)
      }
    }
  }

  private func observe(_ layer: Int, _ hidden: MatrixView, _ scratch: ScratchArena) {
    if observer?.utterance != nil { utteranceFrames.append(outputs: hidden, ofLayer: layer) }
    guard let observe = observer?.layerLogProbs else { return }
    scratch.scope {
      let logProbs = scratch.matrix(rows: hidden.rows, columns: model.vocabulary.count)
      model.networks.ctc.logProbs(hidden, into: logProbs)
      observe(layer, view(logProbs))
    }
  }

  /// Hands the encoder the mel frames that its next block lacks.
  ///
  /// - Returns: false if they are not all there yet.
  private func subsampleMelFrames(_ scratch: ScratchArena) -> Bool {
    let mels = model.config.features.mels
    let available = melFrames.count / mels
    let wanted = encoderStream.melFramesWanted
    guard available >= wanted || finished else { return false }
    let taken = min(wanted, available)
    guard taken > 0 else {
      // The frames that look-ahead has heard may be all that is left.
      if finished, available == 0 { encoderStream.end() }
      return true
    }
    scratch.scope {
      let frames = scratch.matrix(rows: taken, columns: mels)
      melFrames.withUnsafeBufferPointer {
        frames.pointer.update(from: $0.baseAddress!, count: taken * mels)
      }
      melFrames.removeFirst(taken * mels)
      normalizer.normalize(frames)
      encoderStream.subsample(frames, isEnd: finished && melFrames.isEmpty, scratch: scratch)
    }
    return true
  }

  private func view(_ logProbs: MatrixView) -> LogProbs {
    LogProbs(logProbs.pointer, frames: logProbs.rows, vocabulary: logProbs.columns)
  }
}
