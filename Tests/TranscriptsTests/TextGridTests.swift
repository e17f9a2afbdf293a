import Decoding
import Testing
import Transcripts

@Suite struct TextGridTests {
  @Test func longFormat() {
    let grid = TextGrid(
      duration: 1.5, tiers: [("words", [("say \"hi\"", 0.25, 0.75), ("x\ny", 0.75, 1.5)])])
    #expect(
      grid.text.split(separator: "\n", omittingEmptySubsequences: false).map {
        $0.hasSuffix(" ") ? $0.dropLast() : $0
      }
        == """
        File type = "ooTextFile"
        Object class = "TextGrid"

        xmin = 0
        xmax = 1.5
        tiers? <exists>
        size = 1
        item []:
            item [1]:
                class = "IntervalTier"
                name = "words"
                xmin = 0
                xmax = 1.5
                intervals: size = 3
                intervals [1]:
                    xmin = 0
                    xmax = 0.25
                    text = ""
                intervals [2]:
                    xmin = 0.25
                    xmax = 0.75
                    text = "say ""hi\"""
                intervals [3]:
                    xmin = 0.75
                    xmax = 1.5
                    text = "x y"

        """.split(separator: "\n", omittingEmptySubsequences: false))
  }

  /// Praat wants intervals that are not empty, each beginning where the one before ends, from 0 to
  /// the end.
  @Test(arguments: [
    [], [(0.0, 0.0)], [(0, 1)], [(0.2, 0.2), (0.2, 0.2), (0.2, 0.3)], [(0.9999, 1.0004), (1, 2)],
    [(-1, 0.5), (0.4, 0.6), (0.6, 0.61)], [(0, 0), (0, 0), (0, 0.001)],
  ])
  func fillsTheRecording(spans: [(Double, Double)]) {
    let grid = TextGrid(
      duration: 1, tiers: [("a", spans.map { ("w", $0.0, $0.1) }), ("b", [])])
    for tier in grid.tiers {
      #expect(tier.intervals.first?.start == 0 && tier.intervals.last?.end == 1000)
      #expect(tier.intervals.allSatisfy { $0.start < $0.end })
      for (before, after) in zip(tier.intervals, tier.intervals.dropFirst()) {
        #expect(before.end == after.start)
      }
    }
    #expect(grid.tiers[1].intervals.count == 1)
  }

  @Test func layerTranscript() {
    var layers = LayerTranscript(
      file: "a.wav", duration: 2,
      layers: [.init(number: 3, text: "he"), .init(number: 4, text: "")])
    #expect(layers.text == "3\the\n4\t\n")
    #expect(
      layers.json == """
        {
          "file": "a.wav",
          "duration": 2,
          "layers": [
            {"layer": 3, "text": "he"},
            {"layer": 4, "text": ""}
          ]
        }

        """)
    layers.through = "decoder"
    #expect(layers.json.contains("\"a.wav\",\n  \"through\": \"decoder\",\n  \"duration\""))
  }
}
