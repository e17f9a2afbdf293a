/// How a file holds utterances.
public enum UtteranceFormat: String, CaseIterable, Sendable {
  /// The whole file is one utterance; in a folder, every .txt file is one, named as the file.
  case document
  /// An utterance a line, without names: the n-th of one file belongs to the n-th of the other.
  case lines
  /// `id word word …`: Kaldi's `text`, LibriSpeech's `*.trans.txt`.
  case kaldi
  /// `word word … (id)`, as sclite reads it.
  case trn
  /// NIST's segment time marks: `file channel speaker start end [<labels>] word …`.
  case stm
  /// NIST's time-marked words: `file channel start duration word [confidence]`.
  case ctm
  case csv, tsv
  /// A list of objects, an object of id and text, or one transcript of `starling transcribe`.
  case json
  /// An object a line: NeMo's manifests, transcripts of `starling transcribe --format jsonl`.
  case jsonl

  /// What a file's name says it is: its extension, and for plain text whether it is called as Kaldi
  /// or LibriSpeech call theirs.
  public init(path: String, isFolder: Bool) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let last = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
    switch last {
    case _ where isFolder: self = .document
    case "trn", "stm", "ctm", "csv", "tsv", "json", "jsonl": self = Self(rawValue: last)!
    case "ndjson", "manifest": self = .jsonl
    case _ where name == "text" || name.hasSuffix(".trans.txt"): self = .kaldi
    default: self = .lines
    }
  }
}
