/// Reads spelled numbers out of a list of words.
package struct NumberReader {
  /// Small letters.
  package var words: [String]

  package init(words: [String]) { self.words = words }

  /// A number and the words it takes.
  package struct Reading: Equatable {
    package var value: Int
    package var count: Int
  }

  /// The word at `index`; empty beyond the end.
  package subscript(index: Int) -> String {
    words.indices.contains(index) ? words[index] : ""
  }

  /// 0…9; `oh` as zero only inside a row of digits.
  package func digit(_ index: Int, allowsOh: Bool = true) -> Int? {
    switch self[index] {
    case "zero": 0
    case "oh", "o": allowsOh ? 0 : nil
    default: NumberWords.units[self[index]]
    }
  }

  /// 1…99.
  func belowHundred(_ index: Int) -> Reading? {
    if let tens = NumberWords.tens[self[index]] {
      guard let unit = NumberWords.units[self[index + 1]] else {
        return Reading(value: tens, count: 1)
      }
      return Reading(value: tens + unit, count: 2)
    }
    return (NumberWords.teens[self[index]] ?? NumberWords.units[self[index]]).map {
      Reading(value: $0, count: 1)
    }
  }

  /// `twenty five`, `one hundred and three`, `two thousand and six`, `a million and one`.
  ///
  /// - Parameter allowsAnd: false where `and` parts two numbers: `between one hundred and two`.
  package func cardinal(_ start: Int, allowsAnd: Bool = true) -> Reading? {
    var total = 0
    var next = start
    var lastScale = Int.max
    while let group = group(next, isFirst: next == start, allowsAnd: allowsAnd) {
      let after = next + group.count
      guard let scale = NumberWords.scales[self[after]] else {
        // After a scale only what is below it can follow.
        if group.value < min(lastScale, next == start ? .max : 1000) {
          (total, next) = (total + group.value, after)
        }
        break
      }
      guard scale < lastScale, group.value < 1000 || next == start else { break }
      total += group.value * scale
      lastScale = scale
      next = after + 1
      if allowsAnd, self[next] == "and", let rest = lastPart(next + 1) {
        (total, next) = (total + rest.value, next + 1 + rest.count)
        break
      }
    }
    return next > start ? Reading(value: total, count: next - start) : nil
  }

  /// What stands before a scale, up to 9,900 (`twenty five hundred`).
  private func group(_ start: Int, isFirst: Bool, allowsAnd: Bool) -> Reading? {
    let isArticle =
      isFirst && self[start] == "a"
      && (self[start + 1] == "hundred" || NumberWords.scales[self[start + 1]] != nil)
    guard let first = isArticle ? Reading(value: 1, count: 1) : belowHundred(start) else {
      return nil
    }
    var next = start + first.count
    guard self[next] == "hundred", first.value < 10 || first.value % 10 != 0 else { return first }
    next += 1
    var value = first.value * 100
    if let rest = hundredsRest(next) {
      (value, next) = (value + rest.value, next + rest.count)
    } else if allowsAnd, self[next] == "and", let rest = hundredsRest(next + 1) {
      (value, next) = (value + rest.value, next + 1 + rest.count)
    }
    return Reading(value: value, count: next - start)
  }

  /// Below a hundred and not the start of a further hundred.
  private func hundredsRest(_ index: Int) -> Reading? {
    guard let rest = belowHundred(index), self[index + rest.count] != "hundred" else { return nil }
    return rest
  }

  /// Below a hundred and not the start of a further number.
  private func lastPart(_ index: Int) -> Reading? {
    guard let rest = hundredsRest(index), NumberWords.scales[self[index + rest.count]] == nil
    else { return nil }
    return rest
  }

  /// `twenty first`, `one hundred and third`, `tenth`.
  package func ordinal(_ start: Int, allowsAnd: Bool = true) -> Reading? {
    for end in start..<min(words.count, start + 12) {
      if let cardinal = NumberWords.cardinalOfOrdinal[self[end]] {
        var twin = self
        twin.words[end] = cardinal
        // What follows must not be read on into: `twenty first two`.
        twin.words.removeSubrange((end + 1)...)
        guard let reading = twin.cardinal(start, allowsAnd: allowsAnd),
          reading.count == end + 1 - start
        else { return nil }
        return reading
      }
      guard
        self[end] == "and" || self[end] == "a" || belowHundred(end) != nil
          || self[end] == "hundred" || NumberWords.scales[self[end]] != nil
      else { return nil }
    }
    return nil
  }

  /// A year in pairs: `nineteen eighty four`, `twenty oh six`.
  package func pairYear(_ start: Int) -> Reading? {
    guard let first = NumberWords.teens[self[start]] ?? NumberWords.tens[self[start]], first <= 20
    else { return nil }
    if ["oh", "o"].contains(self[start + 1]), let unit = NumberWords.units[self[start + 2]] {
      return first >= 16 ? Reading(value: first * 100 + unit, count: 3) : nil
    }
    guard let second = belowHundred(start + 1), second.value >= 10 else { return nil }
    let after = self[start + 1 + second.count]
    guard after != "hundred", NumberWords.scales[after] == nil else { return nil }
    // Ten to twelve may be hours, up to fifteen the first of two numbers: `fifteen twenty minutes`.
    let isNumberPair = second.value < 30 && second.count == 1
    guard first >= 16 || second.value > 59 || (first >= 13 && !isNumberPair) else { return nil }
    return Reading(value: first * 100 + second.value, count: 1 + second.count)
  }

  /// A year after a date: in pairs, or a cardinal from 1000 to 2099.
  func year(_ start: Int) -> Reading? {
    if let year = pairYear(start) { return year }
    guard let year = cardinal(start), (1000...2099).contains(year.value), self[start] != "a"
    else { return nil }
    return year
  }
}
