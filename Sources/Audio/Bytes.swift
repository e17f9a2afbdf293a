extension [UInt8] {
  /// `withUnsafeBytes` with typed throws, which the standard library's lacks.
  func withRawBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try withUnsafeBufferPointer { (buffer) throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
  }

  /// The unsigned integer that begins at byte `offset`, least significant byte first.
  func littleEndian<T: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _: T.Type) -> T {
    self[offset..<offset + MemoryLayout<T>.size].reversed().reduce(0) { $0 << 8 | T($1) }
  }

  /// As `littleEndian`, most significant byte first.
  func bigEndian<T: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _: T.Type) -> T {
    self[offset..<offset + MemoryLayout<T>.size].reduce(0) { $0 << 8 | T($1) }
  }
}
