/// The number that `text` writes in decimals, such as `-1.25` or `3e-5`; nil for anything else, nan
/// and inf included. Independent of the locale and of terminators.
func decimal(_ text: UnsafeRawBufferPointer) -> Double? {
  var rest = text[...]
  func takeDigits(_ body: (Int) -> Void) -> Bool {
    let before = rest.count
    while let byte = rest.first, (0x30...0x39).contains(byte) {
      body(Int(byte - 0x30))
      rest = rest.dropFirst()
    }
    return rest.count < before
  }
  func takeSign() -> Bool {
    guard let byte = rest.first, byte == 0x2B || byte == 0x2D else { return false }
    rest = rest.dropFirst()
    return byte == 0x2D
  }
  let isNegative = takeSign()
  var mantissa = 0.0
  var exponent = 0
  var hasDigits = takeDigits { mantissa = mantissa * 10 + Double($0) }
  if rest.first == 0x2E {
    rest = rest.dropFirst()
    let hasFraction = takeDigits {
      mantissa = mantissa * 10 + Double($0)
      exponent -= 1
    }
    hasDigits = hasDigits || hasFraction
  }
  guard hasDigits else { return nil }
  if let mark = rest.first, mark | 0x20 == 0x65 {
    rest = rest.dropFirst()
    let isSmall = takeSign()
    var written = 0
    guard takeDigits({ written = min(written * 10 + $0, 9999) }) else { return nil }
    exponent += isSmall ? -written : written
  }
  guard rest.isEmpty else { return nil }
  let size = exponent < 0 ? mantissa / power10(-exponent) : mantissa * power10(exponent)
  return size.isFinite ? (isNegative ? -size : size) : nil
}

private func power10(_ exponent: Int) -> Double {
  var (power, base, rest) = (1.0, 10.0, exponent)
  while rest > 0 {
    if rest & 1 == 1 { power *= base }
    base *= base
    rest >>= 1
  }
  return power
}
