import Testing
import Transcripts

@Suite struct ProgressBarTests {
  private let sample = ProgressBar(
    doneSeconds: 750, totalSeconds: 2700, elapsed: 750 / 85, filesDone: 3, filesTotal: 12)

  @Test func everything() {
    #expect(
      sample.line(width: 70)
        == "[###-----------] 3/12 files  12:30 of 45:00  85x real time  ETA 00:23")
    #expect(sample.line(width: 200).hasPrefix("[" + String(repeating: "#", count: 11) + "-"))
  }

  @Test func narrowTerminals() {
    #expect(
      sample.line(width: 60) == "[#####--------------] 3/12 files  12:30 of 45:00  ETA 00:23")
    #expect(sample.line(width: 40) == "3/12 files  12:30 of 45:00  ETA 00:23")
    #expect(sample.line(width: 30) == "3/12 files  ETA 00:23")
    #expect(sample.line(width: 15) == "3/12 files")
    #expect(sample.line(width: 5) == "3/12")
    #expect(sample.line(width: 1) == "")
    #expect(sample.line(width: 0) == "")
    #expect(sample.line(width: -3) == "")
  }

  @Test func oneFile() {
    let one = ProgressBar(
      doneSeconds: 5, totalSeconds: 10, elapsed: 2, filesDone: 0, filesTotal: 1)
    #expect(
      one.line(width: 65) == "[##########----------] 00:05 of 00:10  2.5x real time  ETA 00:02")
    #expect(one.line(width: 12) == "00:05 of 00")
  }

  @Test func unknownLength() {
    var live = ProgressBar(
      doneSeconds: 3725, totalSeconds: nil, elapsed: 3725, filesDone: 0, filesTotal: 1)
    #expect(live.line(width: 80) == "1:02:05  1.0x real time")
    live.filesDone = 1
    live.filesTotal = 2
    #expect(
      live.line(width: 80)
        == "[####################--------------------] 1/2 files  1:02:05  1.0x real time")
    live.totalSeconds = 0
    #expect(live.line(width: 30) == "1/2 files  1:02:05")
  }

  @Test func beginningAndEnd() {
    let begin = ProgressBar(
      doneSeconds: 0, totalSeconds: 7200, elapsed: 0, filesDone: 0, filesTotal: 2)
    #expect(begin.line(width: 50).hasSuffix("-] 0/2 files  00:00 of 2:00:00"))
    let end = ProgressBar(
      doneSeconds: 7200, totalSeconds: 7200, elapsed: 60, filesDone: 2, filesTotal: 2)
    let line = end.line(width: 100)
    #expect(line.hasPrefix("[##") && !line.contains("-"))
    #expect(line.hasSuffix("2/2 files  2:00:00 of 2:00:00  120x real time  ETA 00:00"))
    let almost = ProgressBar(
      doneSeconds: 7199.9, totalSeconds: 7200, elapsed: 60, filesDone: 1, filesTotal: 2)
    #expect(almost.line(width: 100).contains("-]"))
  }

  @Test func neverTooWideAndNeverCrashes() {
    let odd: [Double] = [-5, 0, 1e-300, 0.5, 1, 3600, 1e18, .infinity, .nan]
    for done in odd {
      for total in odd.map(Optional.some) + [nil] {
        for elapsed in odd {
          let bar = ProgressBar(
            doneSeconds: done, totalSeconds: total, elapsed: elapsed, filesDone: 7, filesTotal: 9)
          for width in [0, 1, 2, 10, 20, 30, 40, 60, 80, 200] {
            #expect(bar.line(width: width).count <= max(0, width - 1))
          }
        }
      }
    }
  }

  @Test func throttle() {
    let start = ContinuousClock.now
    var throttle = RedrawThrottle()
    let asked = [(0, false), (99, false), (99, true), (198, false), (199, false)]
    let answers = asked.map { milliseconds, force in
      throttle.allows(start.advanced(by: .milliseconds(milliseconds)), force: force)
    }
    #expect(answers == [true, false, true, false, true])
    var fresh = RedrawThrottle()
    let drawn = (0..<1000).filter { fresh.allows(start.advanced(by: .milliseconds($0))) }
    #expect(drawn.count == 10)
  }
}
