/// Writes numbers the same in every locale, from integers, so no binary fraction shows through.
package enum NumberText {
  /// Above this a Double no longer tells thousandths apart, so values are held there.
  private static let largest = 1e12

  /// `seconds` to the nearest millisecond. What is not a finite number counts as 0.
  package static func milliseconds(_ seconds: Double) -> Int {
    scaled(seconds, decimals: 3)
  }

  /// A time in seconds with 3 decimals at most: `1.5`.
  static func seconds(_ seconds: Double) -> String {
    self.seconds(milliseconds: milliseconds(seconds))
  }

  /// A time in milliseconds as seconds with 3 decimals at most: `1.5`.
  static func seconds(milliseconds: Int) -> String {
    trimmed(fixed(milliseconds, decimals: 3))
  }

  /// A confidence (0…1) with 4 decimals at most: `0.9731`.
  package static func confidence(_ value: Double) -> String {
    trimmed(fixed(scaled(value, decimals: 4), decimals: 4))
  }

  /// A score in nats with 4 decimals at most: `-12.0625`.
  package static func score(_ nats: Double) -> String {
    trimmed(fixed(scaled(nats, decimals: 4), decimals: 4))
  }

  /// A time in milliseconds as seconds with exactly 3 decimals: `1.500`.
  static func fixedSeconds(milliseconds: Int) -> String {
    fixed(milliseconds, decimals: 3)
  }

  /// A confidence (0…1) with exactly 4 decimals: `0.9000`.
  static func fixedConfidence(_ value: Double) -> String {
    fixed(scaled(value, decimals: 4), decimals: 4)
  }

  /// `number` in at least `digits` digits, zeros in front.
  static func padded(_ number: Int, digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private static func scaled(_ value: Double, decimals: Int) -> Int {
    guard value.isFinite else { return 0 }
    var held = min(max(value, -largest), largest)
    for _ in 0..<decimals { held *= 10 }
    return Int(held.rounded())
  }

  /// `scaled` is the number times 10^decimals.
  private static func fixed(_ scaled: Int, decimals: Int) -> String {
    let digits = padded(scaled.magnitude, digits: decimals + 1)
    return (scaled < 0 ? "-" : "") + digits.dropLast(decimals) + "." + digits.suffix(decimals)
  }

  private static func padded(_ number: UInt, digits: Int) -> String {
    padded(Int(number), digits: digits)
  }

  private static func trimmed(_ fixed: String) -> String {
    var text = fixed[...]
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return String(text)
  }
}
