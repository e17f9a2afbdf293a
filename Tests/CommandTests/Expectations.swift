import Foundation
import Testing

/// Expects success and nothing on standard error.
func expectSuccess(
  _ result: Starling.Result, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(!result.timedOut, sourceLocation: sourceLocation)
  #expect(result.status == 0, sourceLocation: sourceLocation)
  #expect(result.errors == "", sourceLocation: sourceLocation)
}

/// Expects one clear line on standard error and exit code 1.
func expectRefusal(
  _ result: Starling.Result, saying parts: String..., output: String? = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(!result.timedOut, sourceLocation: sourceLocation)
  #expect(result.status == 1, sourceLocation: sourceLocation)
  #expect(result.errors.hasPrefix("starling: "), sourceLocation: sourceLocation)
  #expect(result.errors.hasSuffix("\n"), sourceLocation: sourceLocation)
  #expect(result.errors.dropLast().contains("\n") == false, sourceLocation: sourceLocation)
  #expect(result.errors.count < 400, sourceLocation: sourceLocation)
  for part in parts {
    #expect(result.errors.contains(part), sourceLocation: sourceLocation)
  }
  if let output { #expect(result.output == output, sourceLocation: sourceLocation) }
}

/// Expects the complaint of the command line's parser: its exit code, and nothing done.
func expectUsageError(
  _ result: Starling.Result, saying part: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.status == 64, sourceLocation: sourceLocation)
  #expect(result.errors.contains(part), sourceLocation: sourceLocation)
  #expect(result.output == "", sourceLocation: sourceLocation)
}

/// A JSON text as Foundation reads it.
func parseJSON(_ text: String) throws -> [String: Any] {
  let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
  return try #require(object as? [String: Any])
}
