import Audio
import Dispatch
import Evaluation
import Foundation
import Synchronization

/// What a page shows of the audio of its utterances.
struct AudioSurvey {
  /// MiB of audio that are put into the page, the worst utterances first.
  let embedded: Int
  /// Folder of the page, from which other audio is linked.
  let pageFolder: String

  func audio(
    of utterances: [ScoredUtterance], in library: AudioLibrary
  ) -> [String: PageAudio] {
    let files = utterances.compactMap { utterance in
      library.path(of: utterance.reference).map { (utterance, $0) }
    }
    var found = measured(files)
    var room = embedded << 20
    for (utterance, path) in files.sorted(by: { $0.0.words.errors > $1.0.words.errors }) {
      let id = utterance.reference.id
      guard let type = Self.types[(path as NSString).pathExtension.lowercased()] else { continue }
      let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? .max
      if size <= room, let data = FileManager.default.contents(atPath: path) {
        room -= size
        found[id, default: PageAudio()].source = "data:\(type);base64," + data.base64EncodedString()
      } else {
        found[id, default: PageAudio()].source = relative(path)
      }
    }
    return found
  }

  /// Formats that browsers play.
  private static let types = [
    "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "oga": "audio/ogg",
    "opus": "audio/ogg", "mp3": "audio/mpeg",
  ]

  /// Lengths and signal-to-noise ratios; what cannot be read has none.
  private func measured(_ files: [(ScoredUtterance, String)]) -> [String: PageAudio] {
    let found = Mutex<[String: PageAudio]>([:])
    DispatchQueue.concurrentPerform(iterations: files.count) { index in
      let (utterance, path) = files[index]
      guard let reader = try? AudioFileReader(path: path) else { return }
      var noise = SignalToNoise(sampleRate: reader.sampleRate)
      var count = 0
      while let samples = try? reader.read(reader.sampleRate), !samples.isEmpty {
        noise.accept(samples)
        count += samples.count
      }
      let audio = PageAudio(
        duration: Double(count) / Double(reader.sampleRate), signalToNoise: noise.decibels)
      found.withLock { $0[utterance.reference.id] = audio }
    }
    return found.withLock { $0 }
  }

  /// A path from the page's folder, as an address.
  private func relative(_ path: String) -> String {
    let from = URL(fileURLWithPath: pageFolder).standardizedFileURL.pathComponents
    let to = URL(fileURLWithPath: path).standardizedFileURL.pathComponents
    let common = zip(from, to).prefix { $0 == $1 }.count
    let parts =
      [String](repeating: "..", count: from.count - common) + to.dropFirst(common)
    return parts.map {
      $0.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed.subtracting(["?", "#"])) ?? $0
    }.joined(separator: "/")
  }
}
