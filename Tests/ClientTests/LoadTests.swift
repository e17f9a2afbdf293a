import Client
import Testing
import Wire

@Suite struct LoadTests {
  @Test func spreadsAreByNearestRank() throws {
    let spread = try #require(Spread((1...200).map(Double.init).shuffled()))
    #expect(spread.count == 200 && spread.p50 == 100 && spread.p95 == 190)
    #expect(spread.p99 == 198 && spread.max == 200)
    let one = try #require(Spread([7]))
    #expect([one.p50, one.p95, one.p99, one.max] == [7, 7, 7, 7])
    #expect(Spread([]) == nil)
  }

  @Test func nobodyListens() async {
    let file = LoadGenerator.File(name: "b", audio: [0, 0])
    let endpoint = Endpoint(.unix(path: "/nowhere/socket"), .native, options: ClientOptions())
    let load = LoadGenerator(
      endpoint, sessions: 2, length: .rounds(1), stagger: 0, isPaced: true, files: [file])
    let report = await load.run()
    #expect(report.failures == ["cannot_connect": 2] && !report.isGood)
    #expect(report.summaryOfFaults == "2 of 2 files failed (2 cannot_connect), 0 had another text")
    #expect(report.firstPartial == nil && report.files.map(\.heard) == [0])
    #expect(report.text.contains("failures: 2 cannot_connect\n"))
    #expect(report.json.hasPrefix(#"{"server": "unix:/nowhere/socket", "protocol": "native""#))
  }
}
