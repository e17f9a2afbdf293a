import Audio
import Conformer
import Decoding
import Tensor

/// Memory for the intermediate results of one thread.
public final class Workspace {
  let scratch = ScratchArena()

  public init() {}

  /// Bytes held.
  public var byteCount: Int { scratch.byteCount }
}

/// One speaker's audio on its way to text. Not for use from two threads at once.
public final class RecognizerStream {
  private let model: RecognizerModel
  private let options: RecognizerOptions
  private let workspace: Workspace
  private var logMel: LogMelStream
  private var normalizer: FeatureNormalizerStream
  private var encoderStream: EncoderStream
  private var decoder: UtteranceDecoder
  private var voiceActivity: VoiceActivity?
  private let finalDecoder: FinalDecoder
  private var utteranceFrames: UtteranceFrames
  /// Mel frames that no block has taken yet. [n, mels]
  private var melFrames: [Float] = []
  private var sampleCount = 0
  private var finished = false
  private var utterance = 0
  /// Peak of the last token of the utterances that have ended, and the end of their last word.
  private var lastFrame: Int?
  private var lastEnd = 0.0
  private var lastPartial: RecognitionResult?
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
    precondition(!finished, "a finished stream accepts no samples")
    sampleCount += samples.count
    voiceActivity?.accept(samples)
    logMel.accept(samples, into: &melFrames)
    return decodeChunks()
  }

  /// Ends the audio and returns the last results, a final one at least: the flush hears every
  /// sample that was accepted.
  public func finish() -> [RecognitionResult] {
    precondition(!finished, "a stream finishes once")
    finished = true
    logMel.finish(into: &melFrames)
    var results = decodeChunks()
    if let last = decoder.finish() {
      results.append(final(last, nextFrame: nil))
    } else if utterance == 0 {
      results.append(
        RecognitionResult(kind: .final, utterance: 0, text: "", committed: "", words: []))
    }
    return results
  }

  private func decodeChunks() -> [RecognitionResult] {
    var results: [RecognitionResult] = []
    while decodeChunk(&results) {}
    return results
  }

  /// The way of one chunk: mel frames, encoder block, log-probabilities, search.
  ///
  /// - Returns: false when there are too few frames for a block.
  private func decodeChunk(_ results: inout [RecognitionResult]) -> Bool {
    let scratch = workspace.scratch
    return scratch.scope {
      guard subsampleMelFrames(scratch), let block = encoderStream.nextBlock else {
        return false
      }
      // [C + R, d]: new frames, then look-ahead.
      let hidden = scratch.matrix(rows: block.rows, columns: model.config.encoder.width)
      encoderStream.takeBlock(into: hidden, finalRows: block.finalRows)
      if keepsFrames {
        utteranceFrames.append(inputs: hidden, finalRows: block.finalRows)
      }
      model.networks.encoder.step(
        hidden,
        blocks: [
          EncoderBlock(
            cache: encoderStream.cache, range: 0..<block.rows, finalRows: block.finalRows)
        ], scratch: scratch, afterLayer: layerObserver(block.finalRows))

      if keepsFrames {
        utteranceFrames.append(outputs: hidden.rows(0..<block.finalRows))
      }

      // The look-ahead frames' tentative outputs matter only to partial results.
      let heard = options.wantsPartials ? block.rows : block.finalRows
      let logProbs = scratch.matrix(rows: heard, columns: model.vocabulary.count)
      model.networks.ctc.logProbs(hidden.rows(0..<heard), into: logProbs)

      observer?.logProbs?(view(logProbs.rows(0..<block.finalRows)))
      for ended in decoder.advance(
        view(logProbs.rows(0..<block.finalRows)), isSilent: voiceActivity?.isSilent)
      {
        // After a silence the next token is no earlier than the end of it.
        results.append(final(ended, nextFrame: ended.nextFrame ?? ended.frames.upperBound))
      }
      voiceActivity?.drop(before: decoder.frameCount)
      utteranceFrames.drop(before: decoder.firstFrameNeeded(preRoll: UtteranceFrames.preRoll))
      if options.wantsPartials,
        let partial = partial(lookAhead: view(logProbs.rows(block.finalRows..<heard)))
      {
        results.append(partial)
      }
      return true
    }
  }

  /// Whether an utterance's frames are wanted when it ends.
  private var keepsFrames: Bool {
    finalDecoder.needsFrames || observer?.utterance != nil || observer?.ended != nil
  }

  /// Keeps each layer's output and reads the CTC head off it, as far as an observer asks for it.
  private func layerObserver(_ finalRows: Int) -> ((Int, MatrixView) -> Void)? {
    guard let observer, observer.layerLogProbs != nil || observer.utterance != nil else {
      return nil
    }
    let scratch = workspace.scratch
    return { [self] layer, hidden in
      let hidden = hidden.rows(0..<finalRows)
      if observer.utterance != nil { utteranceFrames.append(outputs: hidden, ofLayer: layer) }
      guard let observe = observer.layerLogProbs else { return }
      scratch.scope {
        let logProbs = scratch.matrix(rows: finalRows, columns: model.vocabulary.count)
        model.networks.ctc.logProbs(hidden, into: logProbs)
        observe(layer, view(logProbs))
      }
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
    var frames = Array(melFrames[..<(taken * mels)])
    melFrames.removeFirst(taken * mels)
    normalizer.normalize(&frames)
    frames.withUnsafeMutableBufferPointer { buffer in
      encoderStream.subsample(
        MatrixView(buffer.baseAddress!, rows: taken, columns: mels),
        isEnd: finished && melFrames.isEmpty, scratch: scratch)
    }
    return true
  }

  /// - Parameter nextFrame: what the next token's peak is not before, if anything is known.
  private func final(_ ended: DecodedUtterance, nextFrame: Int?) -> RecognitionResult {
    observer?.utterance?(ended, utteranceFrames)
    observer?.ended? { [self] in
      alternatives(
        FinalDecoder(model, $0).settle(ended, utteranceFrames, scratch: workspace.scratch),
        nextFrame)
    }
    let settled = finalDecoder.settle(ended, utteranceFrames, scratch: workspace.scratch)
    let texts = alternatives(settled, nextFrame)
    defer {
      utterance += 1
      lastPartial = nil
      lastFrame = settled[0].tokens.last?.frame ?? lastFrame
      lastEnd = texts[0].words.last?.end ?? lastEnd
    }
    return RecognitionResult(
      kind: .final, utterance: utterance, text: texts[0].text, committed: texts[0].text,
      words: texts[0].words, alternatives: Array(texts.prefix(options.decoding.nBest)))
  }

  /// Different texts, the best first. Tokens that spell the same text count once.
  private func alternatives(_ settled: [SettledText], _ nextFrame: Int?) -> [Alternative] {
    var seen: Set<String> = []
    return settled.compactMap { settled in
      let text = model.vocabulary.text(settled.tokens.map(\.id))
      guard seen.insert(text).inserted else { return nil }
      return Alternative(
        text: text,
        words: words(settled.tokens, nextFrame: nextFrame, frames: decoder.frameCount),
        scores: settled.scores)
    }
  }

  /// The words of an utterance's tokens, none of which begins before the last utterance has ended:
  /// a final pass may find a token earlier than the first pass did.
  private func words(_ tokens: [DecodedToken], nextFrame: Int?, frames: Int) -> [Word] {
    model.wordAssembler.words(
      tokens, previousFrame: lastFrame, nextFrame: nextFrame, duration: heard(frames)
    ).map { word in
      var word = word
      word.start = max(word.start, lastEnd)
      word.end = max(word.end, lastEnd)
      return word
    }
  }

  /// The current utterance with what the look-ahead frames tentatively say; nil if nothing has
  /// changed.
  private func partial(lookAhead: LogProbs) -> RecognitionResult? {
    let tokens = options.isStable ? decoder.tokens : decoder.tokens(lookingAhead: lookAhead)
    // A tentative word that has proved none must be taken back.
    guard !tokens.isEmpty || lastPartial != nil else { return nil }
    let result = RecognitionResult(
      kind: .partial, utterance: utterance, text: model.vocabulary.text(tokens.map(\.id)),
      committed: model.vocabulary.text(decoder.tokens.map(\.id)),
      words: words(tokens, nextFrame: nil, frames: decoder.frameCount + lookAhead.frames))
    guard result.text != lastPartial?.text || result.committed != lastPartial?.committed else {
      return nil
    }
    lastPartial = result
    return result
  }

  /// Seconds of audio that `frames` encoder frames stand for: a matter of the blocks only, not of
  /// how much more audio happens to have been accepted already.
  private func heard(_ frames: Int) -> Double {
    min(duration, Double(frames) * model.frameSeconds)
  }

  private func view(_ logProbs: MatrixView) -> LogProbs {
    LogProbs(logProbs.pointer, frames: logProbs.rows, vocabulary: logProbs.columns)
  }
}
