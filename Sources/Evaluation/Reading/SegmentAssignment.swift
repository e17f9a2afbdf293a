/// Brings texts with times to the same utterances.
enum SegmentAssignment {
  /// The words of a ctm in the segments of an stm.
  ///
  /// As sclite has it, a word belongs to the first segment that ends after the word's middle, or to
  /// the last of its recording; words within ignored segments belong nowhere.
  static func segments(of reference: UtteranceList, from hypothesis: UtteranceList) -> UtteranceList
  {
    let segments = Dictionary(grouping: reference.utterances) { $0.segment!.recording }
    let ignored = Dictionary(grouping: reference.ignored, by: \.recording)
    var words: [String: [String]] = [:]
    var extra: [Utterance] = []
    for utterance in hypothesis.utterances {
      let recording = utterance.id
      guard let own = segments[recording]?.sorted(by: { $0.segment!.end < $1.segment!.end }) else {
        if ignored[recording] == nil { extra.append(utterance) }
        continue
      }
      var next = 0
      let timed = (hypothesis.timedWords[recording] ?? []).sorted {
        $0.start + $0.end < $1.start + $1.end
      }
      for word in timed {
        let middle = (word.start + word.end) / 2
        if ignored[recording]?.contains(where: { $0.start <= middle && middle < $0.end }) == true {
          continue
        }
        while next + 1 < own.count, own[next].segment!.end <= middle { next += 1 }
        words[own[next].id, default: []].append(word.word)
      }
    }
    var list = UtteranceList(file: hypothesis.file, format: .stm, utterances: [])
    // A recording without any word in the ctm is missing; a segment without one is empty.
    let heard = Set(hypothesis.utterances.map(\.id))
    list.utterances = reference.utterances.filter { heard.contains($0.segment!.recording) }.map {
      Utterance(id: $0.id, text: (words[$0.id] ?? []).joined(separator: " "), line: $0.line)
    }
    list.utterances += extra
    return list
  }

  /// One utterance for each recording, named as its file, to be paired with texts without times.
  static func joined(_ list: UtteranceList) -> UtteranceList {
    var joined = UtteranceList(file: list.file, format: .kaldi, utterances: [])
    var places: [String: Int] = [:]
    for utterance in list.utterances {
      let recording = utterance.segment?.recording ?? utterance.id
      let name = String(recording.prefix { $0 != " " })
      if let place = places[name] {
        joined.utterances[place].text += " " + utterance.text
      } else {
        places[name] = joined.utterances.count
        joined.utterances.append(Utterance(id: name, text: utterance.text, line: utterance.line))
      }
    }
    return joined
  }
}
