import Foundation
import Testing
import Transcripts

@Suite struct TranscriptListingTests {
  private let three = ["a", "b", "c"].map { transcript(segment("word " + $0), file: $0 + ".wav") }

  @Test(arguments: TranscriptFormat.allCases.filter(\.allowsSeveralFiles), [1, 2, 3])
  func piecesMakeTheWhole(format: TranscriptFormat, count: Int) {
    let transcripts = Array(three.prefix(count))
    let listing = TranscriptListing(format: format, several: count > 1)
    let byHand =
      listing.header + transcripts.map(listing.item).joined(separator: listing.separator)
      + listing.footer
    var stream = listing
    let streamed = transcripts.reduce(into: "") { $0 += stream.next($1) } + stream.finish()
    #expect(byHand == format.renderAll(transcripts))
    #expect(streamed == byHand)
  }

  @Test(arguments: TranscriptFormat.allCases)
  func oneFile(format: TranscriptFormat) {
    var listing = TranscriptListing(format: format, several: false)
    #expect(listing.next(three[0]) + listing.finish() == format.render(three[0]))
  }

  /// Of several files asked for, only one may turn out well.
  @Test func layoutStaysWhenFilesFail() throws {
    var listing = TranscriptListing(format: .json, several: true)
    let json = listing.next(three[0]) + listing.finish()
    let array = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
    #expect(array?.count == 1)
    #expect(array?[0]["file"] as? String == "a.wav")
    var text = TranscriptListing(format: .text, several: true)
    #expect(text.next(three[0]) + text.finish() == "a.wav\tword a\n")
  }

  @Test func nothingCame() {
    #expect(TranscriptListing(format: .json, several: true).finish() == "[\n]\n")
    #expect(TranscriptListing(format: .tsv, several: true).finish() == "file\tstart\tend\ttext\n")
    #expect(TranscriptListing(format: .text, several: true).finish() == "")
    for format in TranscriptFormat.allCases {
      #expect(TranscriptListing(format: format, several: false).finish() == "")
    }
    #expect(TranscriptFormat.srt.renderAll([]) == "")
  }
}
