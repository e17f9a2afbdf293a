import ArgumentParser
import Evaluation

/// How a score is written out.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json, csv, html
}

extension TextNormalizer: ExpressibleByArgument {}
extension AlignmentRule: ExpressibleByArgument {}
extension UtteranceFormat: ExpressibleByArgument {}
