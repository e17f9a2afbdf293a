/// Why the outputs cannot be laid out as asked.
public enum OutputPlanError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Two inputs whose transcripts would be one file, even under their full names.
  case collision(_ first: String, _ second: String, output: String)
  /// A transcript would take the place of one of the inputs.
  case overwritesInput(_ input: String, transcriptOf: String)

  /// One line: what is wrong and what to do.
  public var description: String {
    switch self {
    case .collision(let first, let second, let output) where first == second:
      "\(PathName.quoted(first)) is given twice, and both transcripts would be "
        + "\(PathName.quoted(output)); give it once"
    case .collision(let first, let second, let output):
      "the transcripts of \(PathName.quoted(first)) and \(PathName.quoted(second)) would both be "
        + "\(PathName.quoted(output)); give their common folder, or transcribe them separately"
    case .overwritesInput(let input, let source):
      "the transcript of \(PathName.quoted(source)) would overwrite the input "
        + "\(PathName.quoted(input)); choose another output folder or format"
    }
  }
}
