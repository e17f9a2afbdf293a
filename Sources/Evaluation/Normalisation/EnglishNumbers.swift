import TextFormatting

/// English numbers in figures: `twenty five` is `25`, `twenty first` `21st`, `nineteen eighty four`
/// `1984`, `one two three` `123`, `two point five` `2.5`, `ten percent` `10%`, `five dollars` `$5`.
///
/// Unlike `EnglishNumberFormatter` it writes every number so, as references and hypotheses must
/// meet, not be read.
struct EnglishNumbers {
  private static let signs = [
    "dollar": "$", "dollars": "$", "pound": "£", "pounds": "£", "euro": "€", "euros": "€",
    "cent": "¢", "cents": "¢",
  ]
  private static let decades = [
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60,
    "seventies": 70, "eighties": 80, "nineties": 90,
  ]
  private static let multiples = ["double": 2, "triple": 3]

  private let words: [String]
  private let reader: NumberReader

  /// - Parameter words: in small letters, without punctuation.
  static func inFigures(_ words: [String]) -> [String] {
    let numbers = EnglishNumbers(words)
    var written: [String] = []
    var index = 0
    while index < words.count {
      if let (text, count) = numbers.number(index) {
        written.append(text)
        index += count
      } else {
        written.append(words[index])
        index += 1
      }
    }
    return written
  }

  private init(_ words: [String]) {
    self.words = words
    reader = NumberReader(words: words)
  }

  private func number(_ start: Int) -> (text: String, count: Int)? {
    if let decade = decade(start) { return decade }
    if let (text, count) = plain(start) { return withUnit(text, start, count) }
    if let ordinal = reader.ordinal(start) {
      return (NumberText.ordinal(ordinal.value).filter { $0 != "," }, ordinal.count)
    }
    return nil
  }

  /// `nineties` is `90s`, `nineteen nineties` `1990s`.
  private func decade(_ start: Int) -> (text: String, count: Int)? {
    if let tens = Self.decades[words[start]] { return ("\(tens)s", 1) }
    guard let century = reader.cardinal(start), century.count == 1,
      (10...20).contains(century.value), let tens = Self.decades[reader[start + 1]]
    else { return nil }
    return ("\(century.value * 100 + tens)s", 2)
  }

  /// A number without sign.
  private func plain(_ start: Int) -> (text: String, count: Int)? {
    if isFigure(start) { return scaledFigure(start) }
    if let digits = digits(start) { return digits }
    if let year = reader.pairYear(start) { return (String(year.value), year.count) }
    // "a hundred", but not the article before "million dollar baby" and its like.
    guard let cardinal = reader.cardinal(start), reader.ordinal(start) == nil else {
      return words[start] == "zero" ? decimal("0", start, 1) : nil
    }
    return decimal(String(cardinal.value), start, cardinal.count)
  }

  private func isFigure(_ index: Int) -> Bool {
    index < words.count && Double(words[index]) != nil && words[index].first?.isNumber == true
  }

  /// `2.5 million`, in one number.
  private func scaledFigure(_ start: Int) -> (text: String, count: Int)? {
    let scales = ["hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9]
    guard let value = Double(words[start]), let scale = scales[reader[start + 1]],
      let whole = Int(exactly: (value * scale).rounded()), abs(value * scale - Double(whole)) < 1e-6
    else { return (words[start], 1) }
    return (String(whole), 2)
  }

  /// `two point five`.
  private func decimal(_ whole: String, _ start: Int, _ count: Int) -> (text: String, count: Int) {
    var next = start + count
    guard reader[next] == "point", reader.digit(next + 1) != nil else { return (whole, count) }
    next += 1
    var text = whole + "."
    while let digit = reader.digit(next) {
      text += String(digit)
      next += 1
    }
    return (text, next - start)
  }

  /// A row of digits: `one two three`, `seven oh seven`, `double five`. The last is left to what
  /// follows if it counts that: `one two hundred`.
  private func digits(_ start: Int) -> (text: String, count: Int)? {
    var parts: [(text: String, count: Int)] = []
    var next = start
    while next < words.count {
      if let times = Self.multiples[words[next]], let digit = reader.digit(next + 1) {
        parts.append((String(repeating: String(digit), count: times), 2))
        next += 2
      } else if let digit = reader.digit(next, allowsOh: next > start) {
        parts.append((String(digit), 1))
        next += 1
      } else {
        break
      }
    }
    if ["hundred", "thousand", "million", "billion", "trillion", "point"].contains(reader[next]) {
      parts = parts.dropLast()
    }
    let isRow = parts.count > 1 || parts.first.map { $0.count > 1 } == true
    guard isRow, words[start] != "oh", words[start] != "o" else { return nil }
    return (parts.map(\.text).joined(), parts.map(\.count).reduce(0, +))
  }

  /// With the sign of the unit that follows.
  private func withUnit(_ text: String, _ start: Int, _ count: Int) -> (text: String, count: Int) {
    let next = start + count
    if reader[next] == "percent" { return (text + "%", count + 1) }
    if reader[next] == "per", reader[next + 1] == "cent" { return (text + "%", count + 2) }
    guard let sign = Self.signs[reader[next]] else { return (text, count) }
    // "five dollars and ten cents", "five dollars ten".
    let after = reader[next + 1] == "and" ? next + 2 : next + 1
    if sign != "¢", !text.contains("."), after < words.count, let cents = plain(after),
      ["cent", "cents"].contains(reader[after + cents.count]), let value = Int(cents.text),
      value < 100
    {
      return (
        sign + text + (value < 10 ? ".0" : ".") + String(value), after + cents.count + 1 - start
      )
    }
    return (sign + text, count + 1)
  }
}
