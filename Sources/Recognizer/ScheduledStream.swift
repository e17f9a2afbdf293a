import Foundation

/// One stream in the hands of a `BatchScheduler`. Audio goes in from any thread.
public final class ScheduledStream: @unchecked Sendable {
  /// Where a stream stands. Guarded by the queue's lock, like all that is not constant here.
  enum Phase {
    /// Lacks samples.
    case idle
    /// In the queue for a chunk.
    case waiting
    /// In the queue for its final passes.
    case ended
    /// In the hands of a thread, the only one that may touch `stream`.
    case running
    case done
  }

  let stream: RecognizerStream
  let model: RecognizerModel
  let isBackground: Bool
  let receive: @Sendable (_ results: [RecognitionResult], _ isEnd: Bool) -> Void
  private let queue: SchedulerQueue

  var phase = Phase.idle
  /// Samples that no thread has taken yet.
  var inbox: [Float] = []
  /// Samples without which there is no chunk.
  var samplesWanted: Int
  /// Whether the audio has ended, and whether the stream knows.
  var (inputEnded, endIsTaken) = (false, false)
  var isCancelled = false
  /// When the samples of the next chunk were complete.
  var readySince = ContinuousClock.now
  /// Those who wait until no more than so many samples are in `inbox`.
  var waiters: [(samples: Int, continuation: CheckedContinuation<Void, Never>)] = []

  init(
    _ stream: RecognizerStream, model: RecognizerModel, isBackground: Bool,
    queue: SchedulerQueue,
    receive: @escaping @Sendable (_ results: [RecognitionResult], _ isEnd: Bool) -> Void
  ) {
    self.stream = stream
    self.model = model
    self.isBackground = isBackground
    self.queue = queue
    self.receive = receive
    samplesWanted = stream.samplesWanted
    queue.open(self)
  }

  /// Takes mono samples in ±1 at the model's sample rate. Never waits; `room` tells who must.
  public func accept(_ samples: [Float]) {
    queue.change(self) {
      precondition(!inputEnded || isCancelled, "a finished stream accepts no samples")
      if !isCancelled { inbox += samples }
    }
  }

  /// Ends the audio: what was accepted is heard to its last sample.
  public func finish() { queue.change(self) { inputEnded = true } }

  /// Drops the stream and what it holds. No result comes after the one that is on its way.
  public func cancel() {
    queue.change(self) {
      isCancelled = true
      inbox = []
    }
  }

  /// Whether nobody wants results any more.
  var isDropped: Bool { queue.read { isCancelled } }

  /// Seconds of audio that wait to be heard.
  public var queuedSeconds: Double {
    queue.read { Double(inbox.count) / Double(model.sampleRate) }
  }

  /// Returns when no more than `seconds` of audio wait to be heard, or less than a chunk does, or
  /// nothing will be heard any more.
  public func room(_ seconds: Double) async {
    let samples = Int(seconds * Double(model.sampleRate))
    await withCheckedContinuation { continuation in
      let isFree = queue.read {
        if hasRoom(samples) { return true }
        waiters.append((samples, continuation))
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// Whether nobody needs to wait. Only an idle stream lacks samples for sure: the others may ask
  /// for another number once they have been run.
  private func hasRoom(_ samples: Int) -> Bool {
    inbox.count <= samples || phase == .done || phase == .idle || isCancelled
  }

  /// Takes those who need not wait any more.
  func takeWaiters() -> [CheckedContinuation<Void, Never>] {
    let free = waiters.filter { hasRoom($0.samples) }
    waiters.removeAll { hasRoom($0.samples) }
    return free.map { $0.continuation }
  }
}
