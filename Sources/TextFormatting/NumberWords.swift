/// The English words that numbers are made of.
enum NumberWords {
  static let units = values(
    "one two three four five six seven eight nine", from: 1, by: 1)
  static let teens = values(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    from: 10, by: 1)
  static let tens = values(
    "twenty thirty forty fifty sixty seventy eighty ninety", from: 20, by: 10)
  static let scales = [
    "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
  ]
  static let pluralTens = values(
    "twenties thirties forties fifties sixties seventies eighties nineties", from: 20, by: 10)
  static let pluralScales: Set = ["hundreds", "thousands", "millions", "billions", "trillions"]

  /// The cardinal in place of the ordinal.
  static let cardinalOfOrdinal: [String: String] = {
    let irregular = [
      "first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight",
      "ninth": "nine", "twelfth": "twelve",
    ]
    var all = irregular
    for word in Array(units.keys) + teens.keys + scales.keys + ["hundred"]
    where !irregular.values.contains(word) {
      all[word + "th"] = word
    }
    for word in tens.keys { all[word.dropLast() + "ieth"] = word }
    return all
  }()

  static let months: [String: String] = {
    let names = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December",
    ]
    return Dictionary(uniqueKeysWithValues: names.map { ($0.lowercased(), $0) })
  }()

  /// Months that are verbs as well.
  static let verbMonths: Set = ["march", "may"]

  /// Units that a small number is written in figures before.
  static let measures: Set<String> = [
    "miles", "kilometers", "kilometres", "meters", "metres", "centimeters", "centimetres",
    "millimeters", "millimetres", "grams", "kilograms", "milligrams", "liters", "litres",
    "milliliters", "millilitres", "degrees", "volts", "watts", "kilowatts", "megawatts", "amps",
    "hertz", "kilohertz", "megahertz", "gigahertz", "decibels", "milliseconds", "microseconds",
    "bytes", "kilobytes", "megabytes", "gigabytes", "terabytes", "bits",
  ]

  static let currencies = [
    "dollar": "$", "dollars": "$", "pound": "£", "pounds": "£", "euro": "€", "euros": "€",
  ]
  /// The hundredth parts that go with each sign.
  static let hundredths: [String: Set<String>] = [
    "$": ["cent", "cents"], "€": ["cent", "cents"], "£": ["penny", "pence"],
  ]

  private static func values(_ words: String, from first: Int, by step: Int) -> [String: Int] {
    var values: [String: Int] = [:]
    for (index, word) in words.split(separator: " ").enumerated() {
      values[String(word)] = first + index * step
    }
    return values
  }
}
