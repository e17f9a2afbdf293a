/// The rules of `EnglishNumberFormatter`, in the order in which they are tried.
struct NumberRules {
  let reader: NumberReader
  /// The last written words, at most two, in small letters.
  var before: [String] = []

  /// What becomes of the words from `index` on; nil if that word is no number's first.
  func replacement(_ index: Int) -> Replacement? {
    dayOfMonth(index) ?? monthAndDay(index) ?? time(index) ?? digitString(index)
      ?? amount(index) ?? decade(index) ?? year(index) ?? ordinal(index) ?? ambiguousPair(index)
      ?? plainCardinal(index)
  }

  /// `between` makes of an `and` the join of two numbers.
  var allowsAnd: Bool { !before.contains("between") }

  /// Whether the number at `index` is the end of a range that stays in words: `two or three`.
  func endsSmallRange(_ index: Int) -> Bool {
    guard before.count == 2, ["or", "to"].contains(before[1]) else { return false }
    return reader.digit(index) != nil && NumberWords.units[before[0]] != nil
  }

  // MARK: Rows of digits

  private func digitString(_ start: Int) -> Replacement? {
    guard reader.digit(start, allowsOh: false) != nil else { return nil }
    var digits: [Int] = []
    while let digit = reader.digit(start + digits.count) { digits.append(digit) }
    // The last may be the first word of a larger number.
    let after = reader[start + digits.count]
    if after == "hundred" || NumberWords.scales[after] != nil
      || (after == "point" && reader.digit(start + digits.count + 1) != nil)
    {
      digits.removeLast()
    }
    guard digits.count >= 3 else { return nil }
    return Replacement((digits.map(String.init).joined(), digits.count))
  }

  // MARK: Times of day

  /// `three thirty p m`, `five a m`, `six o'clock`, `at three thirty`.
  private func time(_ start: Int) -> Replacement? {
    guard let hour = hour(start) else { return nil }
    if reader[start + 1] == "o'clock" { return Replacement((String(hour), 1), ("o'clock", 1)) }
    let minutes = minutes(start + 1)
    let next = start + 1 + (minutes?.count ?? 0)
    let text = minutes.map { "\(hour):" + ($0.value < 10 ? "0" : "") + "\($0.value)" }
    if let half = half(next) {
      return Replacement((text ?? String(hour), next - start), half)
    }
    guard let text, before.last == "at", !continuesNumber(next) else { return nil }
    return Replacement((text, next - start))
  }

  private func hour(_ index: Int) -> Int? {
    guard let hour = reader.belowHundred(index), hour.count == 1, hour.value <= 12 else {
      return nil
    }
    return hour.value
  }

  private func minutes(_ index: Int) -> NumberReader.Reading? {
    if ["oh", "o"].contains(reader[index]), let unit = NumberWords.units[reader[index + 1]] {
      return NumberReader.Reading(value: unit, count: 2)
    }
    guard let minutes = reader.belowHundred(index), (10...59).contains(minutes.value) else {
      return nil
    }
    return minutes
  }

  private func half(_ index: Int) -> (String, Int)? {
    switch reader[index] {
    case "am", "pm": (reader[index], 1)
    case "a", "p": reader[index + 1] == "m" ? (reader[index] + "m", 2) : nil
    default: nil
    }
  }

  /// Whether the word at `index` makes more of the number before it.
  private func continuesNumber(_ index: Int) -> Bool {
    let word = reader[index]
    return word == "hundred" || word == "percent" || word == "point"
      || NumberWords.scales[word] != nil || NumberWords.currencies[word] != nil
      || reader.belowHundred(index) != nil || NumberWords.measures.contains(word)
  }

  // MARK: Years, ordinals, cardinals

  /// `nineteen eighties`.
  private func decade(_ start: Int) -> Replacement? {
    guard let first = NumberWords.teens[reader[start]] ?? NumberWords.tens[reader[start]],
      (16...20).contains(first), let tens = NumberWords.pluralTens[reader[start + 1]]
    else { return nil }
    return Replacement(("\(first * 100 + tens)s", 2))
  }

  private func year(_ start: Int) -> Replacement? {
    reader.pairYear(start).map { Replacement((String($0.value), $0.count)) }
  }

  private func ordinal(_ start: Int) -> Replacement? {
    guard let ordinal = reader.ordinal(start, allowsAnd: allowsAnd) else { return nil }
    let last = reader[start + ordinal.count - 1]
    if ordinal.count == 1 {
      // A fraction, `one tenth`, or too small.
      let isPart = ["a", "an"].contains(before.last) || NumberWords.units[before.last ?? ""] != nil
      return ordinal.value < 10 || isPart ? nil : written(ordinal)
    }
    // `one hundredth`, `a thousandth`.
    if ordinal.count == 2, ["one", "a"].contains(reader[start]) { return .unchanged(2) }
    // `a twenty second delay`.
    if last == "second", ["a", "an", "every", "each"].contains(before.last) { return nil }
    return written(ordinal)
  }

  private func written(_ ordinal: NumberReader.Reading) -> Replacement {
    Replacement((NumberText.ordinal(ordinal.value), ordinal.count))
  }

  /// Two numbers that may be a time or a list, `three thirty`: both stay.
  private func ambiguousPair(_ start: Int) -> Replacement? {
    guard hour(start) != nil, let second = reader.belowHundred(start + 1), second.value >= 10,
      !continuesNumber(start + 1 + second.count)
    else { return nil }
    return .unchanged(1 + second.count)
  }

  private func plainCardinal(_ start: Int) -> Replacement? {
    guard let cardinal = reader.cardinal(start, allowsAnd: allowsAnd) else { return nil }
    let next = reader[start + cardinal.count]
    // `a hundred`, `nineteen twenties`, `twenty thousands`, and the second of `one or two hundred`.
    if reader[start] == "a" && cardinal.count == 2 || NumberWords.pluralTens[next] != nil
      || NumberWords.pluralScales.contains(next) || endsSmallRange(start)
    {
      return .unchanged(cardinal.count)
    }
    let hasUnit = cardinal.value > 1 && NumberWords.measures.contains(next)
    guard cardinal.value >= 10 || hasUnit else { return nil }
    return Replacement((NumberText.cardinal(cardinal.value), cardinal.count))
  }
}
