import Decoding
import Foundation
import TestSupport
import Testing

/// Greedy CTC search on tables made by hand.
struct CTCGreedySearchTests {
  /// Classes 0…3, blank 3.
  static let cases: [(best: [Int], ids: [Int], frames: [Int])] = [
    ([], [], []),
    ([3, 3, 3], [], []),
    ([0], [0], [0]),
    ([0, 0, 0], [0], [0]),
    ([0, 3, 0], [0, 0], [0, 2]),
    ([0, 0, 3, 3, 0, 0], [0, 0], [0, 4]),
    ([3, 1, 2, 2, 1, 3], [1, 2, 1], [1, 2, 4]),
    ([0, 1, 0, 1], [0, 1, 0, 1], [0, 1, 2, 3]),
  ]

  @Test(arguments: cases)
  func handTables(best: [Int], ids: [Int], frames: [Int]) {
    let tokens = Table(best, classes: 4).search(blank: 3)
    #expect(tokens.map(\.id) == ids)
    #expect(tokens.map(\.frame) == frames)
    #expect(tokens.allSatisfy { abs(exp($0.logProb) - 0.9) < 1e-6 })
  }

  @Test func theBlankMayBeAnyClass() {
    let tokens = Table([0, 1, 0, 2, 2, 0], classes: 3).search(blank: 0)
    #expect(tokens.map(\.id) == [1, 2] && tokens.map(\.frame) == [1, 3])
  }

  @Test func logProbIsTheHighestOfTheRun() {
    let rows: [[Float]] = [[-0.5, -1], [-0.1, -3], [-0.3, -2], [-4, -0.01], [-0.2, -2]]
    let tokens = Table(rows: rows).search(blank: 1)
    #expect(tokens.map(\.logProb) == [-0.1, -0.2])
    #expect(tokens.map(\.frame) == [0, 4])
  }

  @Test func theFirstOfEqualsWins() {
    #expect(Table(rows: [[-1, -1, -5]]).search(blank: 2).map(\.id) == [0])
  }

  /// Tells its caller when a token begins; a token that goes on in an emptied list is no new one.
  @Test func beginnings() {
    var (search, tokens) = (CTCGreedySearch(blank: 2), [DecodedToken]())
    let table = Table([2, 0, 0, 0, 1, 2, 1], classes: 3)
    let began = table.rows.indices.map { frame in
      if frame == 2 { tokens = [] }
      return table.rows[frame].withUnsafeBufferPointer {
        search.advance($0, frame: frame, tokens: &tokens)
      }
    }
    #expect(began == [false, true, false, false, true, false, true])
    #expect(tokens.map(\.id) == [1, 1])
  }
}
