/// Brings texts with times to the same utterances.
enum SegmentAssignment {
  /// The words of a ctm in the segments of an stm.
  ///
  /// As sclite has it, a word belongs to the first segment that ends after the word's middle, or to
  /// the last of its recording. Those of segments that are not to be scored are dropped.
  static func segments(
    of reference: UtteranceList, from hypothesis: UtteranceList
  ) -> UtteranceList {
    var segments: [String: [(segment: Utterance.Segment, id: String?)]] = [:]
    for utterance in reference.utterances {
      let segment = utterance.segment!
      segments[segment.recording, default: []].append((segment, utterance.id))
    }
    for segment in reference.ignored {
      segments[segment.recording, default: []].append((segment, nil))
    }
    var words: [String: [String]] = [:]
    var extra: [Utterance] = []
    for utterance in hypothesis.utterances {
      guard let own = segments[utterance.id]?.sorted(by: { $0.segment.end < $1.segment.end }) else {
        extra.append(utterance)
        continue
      }
      var next = 0
      let timed = (hypothesis.timedWords[utterance.id] ?? []).sorted {
        $0.start + $0.end < $1.start + $1.end
      }
      for word in timed {
        let middle = (word.start + word.end) / 2
        while next + 1 < own.count, own[next].segment.end <= middle { next += 1 }
        if let id = own[next].id { words[id, default: []].append(word.word) }
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
