/// Makes of what a recogniser says the events of OpenAI's Realtime interface: items of a
/// conversation, each with the text of one turn.
///
/// Where the server detects turns, an utterance is an item. Otherwise all utterances up to the
/// client's commit are one.
public struct RealtimeItems: Sendable {
  private let prefix: String
  private var count = 0
  private var previous: String?
  private var detectsTurns = true
  /// Seconds of audio before the current turn.
  private var offset = 0.0
  private var current: Item?
  /// Whether the client has ended the turn, and has no item for that yet.
  private var isCommitted = false

  private struct Item {
    let id: String
    var committed = CommittedText()
    var texts: [String] = []
    var seconds = 0.0
  }

  /// - Parameter prefix: of the items' names.
  public init(prefix: String) { self.prefix = prefix }

  /// A turn begins.
  ///
  /// - Parameters:
  ///   - detectsTurns: whether the server says where an item ends.
  ///   - seconds: of audio in all turns before.
  public mutating func begin(detectsTurns: Bool, after seconds: Double) {
    self.detectsTurns = detectsTurns
    offset = seconds
    isCommitted = false
    current = detectsTurns ? nil : makeItem()
  }

  /// What a result adds.
  public mutating func events(for utterance: WireUtterance) -> [RealtimeEvent] {
    var events: [RealtimeEvent] = []
    if current == nil, !utterance.text.isEmpty {
      let item = makeItem()
      current = item
      events.append(.speechStarted(item: item.id, milliseconds: milliseconds(utterance.start)))
    }
    guard var item = current else { return events }
    let growth = item.committed.growth(of: utterance)
    if utterance.isFinal {
      if !utterance.text.isEmpty { item.texts.append(utterance.text) }
      item.seconds += utterance.end - utterance.start
    }
    current = item
    let delta = growth.map { RealtimeEvent.delta(item: item.id, text: $0) }
    guard detectsTurns, utterance.isFinal else { return events + [delta].compactMap { $0 } }
    events.append(.speechStopped(item: item.id, milliseconds: milliseconds(utterance.end)))
    events += announce(item) + [delta].compactMap { $0 } + complete(item)
    return events
  }

  /// The client ends the turn.
  public mutating func commit() -> [RealtimeEvent] {
    isCommitted = true
    return detectsTurns ? [] : announce(current!)
  }

  /// All of the turn's results have come.
  public mutating func end() -> [RealtimeEvent] {
    if detectsTurns {
      // A commit has an item even if nothing was said since the last.
      guard isCommitted else { return [] }
      let item = makeItem()
      return announce(item) + complete(item)
    }
    // A client that goes without a commit has what was heard all the same.
    let item = current!
    return (isCommitted ? [] : announce(item)) + complete(item)
  }

  /// The client forgets the turn.
  public mutating func clear() -> [RealtimeEvent] {
    current = nil
    return [.cleared]
  }

  private mutating func makeItem() -> Item {
    count += 1
    return Item(id: "\(prefix)_\(count)")
  }

  private mutating func announce(_ item: Item) -> [RealtimeEvent] {
    defer { previous = item.id }
    return [
      .committed(item: item.id, previous: previous),
      .item(.added, id: item.id, previous: previous), .item(.done, id: item.id, previous: previous),
    ]
  }

  private mutating func complete(_ item: Item) -> [RealtimeEvent] {
    current = nil
    if detectsTurns { isCommitted = false }
    return [
      .completed(
        item: item.id, text: item.texts.joined(separator: " "), seconds: item.seconds)
    ]
  }

  private func milliseconds(_ seconds: Double) -> Int { Int(((offset + seconds) * 1000).rounded()) }
}
