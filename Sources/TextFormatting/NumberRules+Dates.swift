extension NumberRules {
  /// `the third of march nineteen ninety` → `3 March 1990`.
  func dayOfMonth(_ start: Int) -> Replacement? {
    let article = reader[start] == "the" ? 1 : 0
    guard let day = reader.ordinal(start + article), day.value <= 31 else { return nil }
    let of = start + article + day.count
    guard reader[of] == "of", let month = NumberWords.months[reader[of + 1]] else { return nil }
    var replacement = Replacement((String(day.value), of + 1 - start), (month, 1))
    addYear(of + 2, to: &replacement)
    return replacement
  }

  /// `march third nineteen ninety`, `july the fourth` → `March 3 1990`, `July 4`.
  func monthAndDay(_ start: Int) -> Replacement? {
    // `the thirtieth of april the first shot fell` has its day already.
    guard let month = NumberWords.months[reader[start]],
      before.last?.allSatisfy(\.isNumber) != true
    else { return nil }
    let article = reader[start + 1] == "the" ? 1 : 0
    guard let day = reader.ordinal(start + 1 + article), day.value <= 31 else { return nil }
    var replacement = Replacement((month, 1), (String(day.value), article + day.count))
    addYear(start + replacement.count, to: &replacement)
    // `you may first`, `they march second`, `may the fourth`: without a year no date for sure.
    let isUnsure = article == 1 || (day.count == 1 && day.value <= 2)
    if replacement.pieces.count == 2, NumberWords.verbMonths.contains(reader[start]), isUnsure {
      return nil
    }
    return replacement
  }

  private func addYear(_ index: Int, to replacement: inout Replacement) {
    guard let year = reader.year(index) else { return }
    replacement.pieces.append(Replacement.Piece(text: String(year.value), count: year.count))
  }
}
