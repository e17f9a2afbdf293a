/// Where `AudioFileReader` takes its samples from, one block after the other.
protocol BlockSource: AnyObject {
  /// Seconds, nil when the file does not say.
  var duration: Double? { get }

  /// The next mono samples at the output rate, possibly none; nil at the end.
  func nextBlock() throws(AudioError) -> [Float]?
}
