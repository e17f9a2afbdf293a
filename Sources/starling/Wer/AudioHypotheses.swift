import Dispatch
import Evaluation
import Foundation
import Recognizer
import Synchronization

/// Transcribes the audio of references.
struct AudioHypotheses {
  let transcriber: FileTranscriber
  let jobs: Int

  /// Hypotheses by the references' ids. What has no audio, or cannot be heard, is missing.
  func hear(_ reference: UtteranceList, in library: AudioLibrary) throws -> UtteranceList {
    let files = reference.utterances.compactMap { utterance in
      library.path(of: utterance).map { (utterance, $0) }
    }
    guard !files.isEmpty else {
      throw EvaluationError(
        reference.file, line: reference.utterances.first?.line,
        "no audio in '\(library.folder)' for utterance "
          + "'\(reference.utterances.first?.id ?? "")' or any other; audio is found by the name "
          + "that the file gives, or by the id")
    }
    let progress = BatchProgress(files: files.count)
    progress.begin(paths: files.map(\.1))
    let next = Mutex(0)
    let heard = Mutex<[Int: Utterance]>([:])
    DispatchQueue.concurrentPerform(iterations: min(jobs, files.count)) { _ in
      let workspace = Workspace()
      while let index = next.withLock({ index -> Int? in
        defer { index += 1 }
        return index < files.count ? index : nil
      }) {
        let (utterance, path) = files[index]
        do {
          let transcript = try transcriber.transcript(of: path, workspace) {
            progress.advance(seconds: $0)
          }
          let text = transcript.segments.map(\.text).joined(separator: " ")
          heard.withLock {
            $0[index] = Utterance(id: utterance.id, text: text, line: utterance.line)
          }
        } catch {
          progress.log("\(error)")
        }
        progress.fileDone()
      }
    }
    let results = heard.withLock { $0 }
    progress.end(failed: files.count - results.count, skipped: 0)
    // Named as kaldi's: the ids are the references' own, and so is their order.
    return UtteranceList(
      file: library.folder, format: .kaldi,
      utterances: results.sorted { $0.key < $1.key }.map(\.value))
  }
}
