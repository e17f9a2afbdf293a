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
      beam: options.decoding.makeBeam(blank: model.vocabulary.blank))
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
      results.append(final(last))
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
        results.append(final(ended))
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
  private var keepsFrames: Bool { finalDecoder.needsFrames || observer?.utterance != nil }

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

  private func final(_ ended: DecodedUtterance) -> RecognitionResult {
    observer?.utterance?(ended, utteranceFrames)
    let tokens = finalDecoder.tokens(ended, utteranceFrames, scratch: workspace.scratch)
    let text = model.vocabulary.text(tokens.map(\.id))
    defer {
      utterance += 1
      lastPartial = nil
    }
    return RecognitionResult(
      kind: .final, utterance: utterance, text: text, committed: text,
      words: model.wordAssembler.words(
        tokens, previousFrame: ended.previousFrame, nextFrame: ended.nextFrame,
        duration: heard(decoder.frameCount)))
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
      words: model.wordAssembler.words(
        tokens, previousFrame: decoder.previousFrame,
        duration: heard(decoder.frameCount + lookAhead.frames)))
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
