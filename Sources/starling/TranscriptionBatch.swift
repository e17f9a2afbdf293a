import ArgumentParser
import Audio
import Dispatch
import Foundation
import Recognizer
import Synchronization
import Transcripts

/// Transcribes a list of files, several at once, each on a thread of its own.
final class TranscriptionBatch: Sendable {
  private let entries: [OutputPlan.Entry]
  private let skipped: Int
  private let command: TranscribeCommand
  private let state: Mutex<State>
  private let progress: BatchProgress

  private struct State {
    var next = 0
    var failed = 0
    /// Results for standard output that wait for those of files before them; nil for a failure.
    var finished: [Int: Transcript?] = [:]
    var printed = 0
    var listing: TranscriptListing
    var outputClosed: OutputClosed?
  }

  init(
    entries: [OutputPlan.Entry], skipped: Int, several: Bool, command: TranscribeCommand
  ) throws {
    self.entries = entries
    self.skipped = skipped
    self.command = command
    state = Mutex(
      State(
        listing: TranscriptListing(
          format: command.format, several: several && command.printsTranscripts)))
    progress = BatchProgress(files: entries.count)
  }

  /// - Returns: the number of files that failed.
  func run() throws -> Int {
    let model = try command.recognition.loadModel()
    let transcriber: FileTranscriber
    do {
      transcriber = try FileTranscriber(
        model, command.recognition, command.decoding, raw: command.raw,
        processor: command.text.postProcessor)
    } catch {
      throw Terminal.failure(error)
    }
    progress.begin(paths: entries.map(\.input.path))
    let jobs = min(
      command.jobs ?? ProcessInfo.processInfo.activeProcessorCount, entries.count)
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
      let workspace = Workspace()
      while let index = nextIndex() { transcribe(index, transcriber, workspace) }
    }
    let (failed, closed) = state.withLock { ($0.failed, $0.outputClosed) }
    if let closed { throw Terminal.failure(closed) }
    if command.printsTranscripts {
      let rest = state.withLock { $0.listing.finish() }
      do { try Terminal.print(rest) } catch { throw Terminal.failure(error) }
    }
    progress.end(failed: failed, skipped: skipped)
    return failed
  }

  private func nextIndex() -> Int? {
    state.withLock { state in
      guard state.next < entries.count, state.outputClosed == nil else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }

  private func transcribe(
    _ index: Int, _ transcriber: FileTranscriber, _ workspace: Workspace
  ) {
    let entry = entries[index]
    do {
      let transcript = try transcriber.transcript(of: entry.input.path, workspace) {
        progress.advance(seconds: $0)
      }
      if let output = entry.output {
        try AtomicOutput.write(command.format.render(transcript), to: output)
      } else {
        finish(index, transcript)
      }
    } catch {
      progress.log("\(error)")
      state.withLock { $0.failed += 1 }
      if entry.output == nil { finish(index, nil) }
    }
    progress.fileDone()
  }

  /// Prints what can be printed in the order of the files.
  private func finish(_ index: Int, _ transcript: Transcript?) {
    state.withLock { state in
      state.finished[index] = transcript
      while let ready = state.finished.removeValue(forKey: state.printed) {
        state.printed += 1
        guard let ready, state.outputClosed == nil else { continue }
        progress.clear()
        do throws(OutputClosed) {
          try Terminal.print(state.listing.next(ready))
        } catch {
          state.outputClosed = error
        }
      }
    }
  }
}
