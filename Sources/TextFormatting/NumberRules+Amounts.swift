extension NumberRules {
  /// A number in figures and the words that it takes.
  private struct Figures {
    var text: String
    var count: Int
    /// nil for a decimal.
    var value: Int?
  }

  /// Percentages, money and decimals.
  func amount(_ start: Int) -> Replacement? {
    guard let number = decimal(start) ?? whole(start) else { return nil }
    let next = start + number.count
    if let percent = percent(next) {
      return endsSmallRange(start)
        ? .unchanged(number.count + percent)
        : Replacement((number.text + "%", number.count + percent))
    }
    if let money = money(start, number) { return money }
    return number.value == nil ? Replacement((number.text, number.count)) : nil
  }

  /// `three point one four`.
  private func decimal(_ start: Int) -> Figures? {
    let isZero = reader[start] == "zero"
    guard
      let whole = isZero
        ? NumberReader.Reading(value: 0, count: 1) : reader.cardinal(start, allowsAnd: allowsAnd),
      reader[start] != "a", reader[start + whole.count] == "point"
    else { return nil }
    var digits = ""
    while let digit = reader.digit(start + whole.count + 1 + digits.count) { digits += "\(digit)" }
    guard !digits.isEmpty else { return nil }
    return Figures(
      text: "\(NumberText.cardinal(whole.value)).\(digits)",
      count: whole.count + 1 + digits.count)
  }

  private func whole(_ start: Int) -> Figures? {
    if reader[start] == "zero" { return Figures(text: "0", count: 1, value: 0) }
    return reader.cardinal(start, allowsAnd: allowsAnd).map {
      Figures(text: NumberText.cardinal($0.value), count: $0.count, value: $0.value)
    }
  }

  private func percent(_ index: Int) -> Int? {
    if reader[index] == "percent" { return 1 }
    return reader[index] == "per" && reader[index + 1] == "cent" ? 2 : nil
  }

  /// `five dollars and twenty cents`, `two point five million dollars`, `twenty cents`.
  private func money(_ start: Int, _ number: Figures) -> Replacement? {
    let next = start + number.count
    if number.value == nil, NumberWords.scales[reader[next]] != nil,
      let sign = NumberWords.currencies[reader[next + 1]]
    {
      return endsSmallRange(start)
        ? .unchanged(number.count + 2)
        : Replacement((sign + number.text, number.count), (reader[next], 2))
    }
    if ["cents", "pence"].contains(reader[next]), let value = number.value, value > 1 {
      return endsSmallRange(start)
        ? .unchanged(number.count + 1) : Replacement((number.text, number.count), (reader[next], 1))
    }
    guard let sign = NumberWords.currencies[reader[next]] else { return nil }
    // `one pounds the table`.
    guard number.value != 1 || !reader[next].hasSuffix("s") else { return nil }
    if endsSmallRange(start) { return .unchanged(number.count + 1) }
    if number.value != nil, let small = hundredths(next + 1, sign) {
      let cents = (small.value < 10 ? "0" : "") + "\(small.value)"
      return Replacement(("\(sign)\(number.text).\(cents)", number.count + 1 + small.count))
    }
    return Replacement((sign + number.text, number.count + 1))
  }

  /// `and twenty cents`.
  private func hundredths(_ start: Int, _ sign: String) -> NumberReader.Reading? {
    let and = reader[start] == "and" ? 1 : 0
    guard let amount = reader.belowHundred(start + and),
      NumberWords.hundredths[sign]?.contains(reader[start + and + amount.count]) == true
    else { return nil }
    return NumberReader.Reading(value: amount.value, count: and + amount.count + 1)
  }
}
