import Testing
import Wire

@Suite struct RealtimeItemsTests {
  private static func partial(_ index: Int, _ text: String, _ committed: String) -> WireUtterance {
    WireUtterance(
      index: index, isFinal: false, text: text, committed: committed, words: [], start: 1, end: 2)
  }

  private static func final(_ index: Int, _ text: String) -> WireUtterance {
    WireUtterance(
      index: index, isFinal: true, text: text, committed: text, words: [], start: 1, end: 2.5)
  }

  private static func announcement(_ item: String, after previous: String?) -> [RealtimeEvent] {
    [
      .committed(item: item, previous: previous),
      .item(.added, id: item, previous: previous), .item(.done, id: item, previous: previous),
    ]
  }

  @Test func utterancesAreItemsWhereTheServerDetectsTurns() {
    var items = RealtimeItems(prefix: "i")
    items.begin(detectsTurns: true, after: 10)
    #expect(items.events(for: Self.final(0, "")) == [])
    #expect(
      items.events(for: Self.partial(1, "so it", "so"))
        == [.speechStarted(item: "i_1", milliseconds: 11_000), .delta(item: "i_1", text: "so")])
    #expect(items.events(for: Self.partial(1, "so it", "so")) == [])
    #expect(
      items.events(for: Self.final(1, "so it is"))
        == [.speechStopped(item: "i_1", milliseconds: 12_500)]
        + Self.announcement("i_1", after: nil)
        + [
          .delta(item: "i_1", text: " it is"),
          .completed(item: "i_1", text: "so it is", seconds: 1.5),
        ])
    // An utterance that is heard at once, final and all.
    let second = items.events(for: Self.final(2, "yes"))
    #expect(second.first == .speechStarted(item: "i_2", milliseconds: 11_000))
    #expect(second.last == .completed(item: "i_2", text: "yes", seconds: 1.5))
    #expect(second.contains(.committed(item: "i_2", previous: "i_1")))
    #expect(items.end() == [])
  }

  @Test func aCommitHasAnItemEvenOfSilence() {
    var items = RealtimeItems(prefix: "i")
    items.begin(detectsTurns: true, after: 0)
    #expect(items.commit() == [])
    #expect(items.events(for: Self.final(0, "")) == [])
    #expect(
      items.end()
        == Self.announcement("i_1", after: nil) + [.completed(item: "i_1", text: "", seconds: 0)])
    // Not twice, where the last utterance was the commit's.
    items.begin(detectsTurns: true, after: 1)
    _ = items.commit()
    _ = items.events(for: Self.final(0, "yes"))
    #expect(items.end() == [])
  }

  @Test func allUpToACommitIsOneItemWhereTheClientDetectsTurns() {
    var items = RealtimeItems(prefix: "i")
    items.begin(detectsTurns: false, after: 0)
    #expect(
      items.events(for: Self.partial(0, "so it", "so")) == [.delta(item: "i_1", text: "so")])
    #expect(items.events(for: Self.final(0, "so it")) == [.delta(item: "i_1", text: " it")])
    #expect(items.commit() == Self.announcement("i_1", after: nil))
    #expect(items.events(for: Self.final(1, "is")) == [.delta(item: "i_1", text: " is")])
    #expect(items.end() == [.completed(item: "i_1", text: "so it is", seconds: 3)])
    // A client that goes without a commit.
    items.begin(detectsTurns: false, after: 5)
    _ = items.events(for: Self.final(0, "yes"))
    #expect(
      items.end()
        == Self.announcement("i_2", after: "i_1")
        + [.completed(item: "i_2", text: "yes", seconds: 1.5)])
  }

  @Test func whatIsClearedIsForgotten() {
    var items = RealtimeItems(prefix: "i")
    items.begin(detectsTurns: false, after: 0)
    _ = items.events(for: Self.partial(0, "so it", "so"))
    #expect(items.clear() == [.cleared])
    items.begin(detectsTurns: false, after: 1)
    #expect(items.commit() == Self.announcement("i_2", after: nil))
    #expect(items.end() == [.completed(item: "i_2", text: "", seconds: 0)])
  }
}
