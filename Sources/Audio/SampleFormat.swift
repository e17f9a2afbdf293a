/// Every sample layout that this module decodes itself: the raw encodings, and those of WAV.
enum SampleFormat: Equatable {
  case u8, s16le, s24le, s32le, f32le, f64le, mulaw, alaw

  var bytesPerSample: Int {
    switch self {
    case .u8, .mulaw, .alaw: 1
    case .s16le: 2
    case .s24le: 3
    case .s32le, .f32le: 4
    case .f64le: 8
    }
  }

  /// Appends every whole sample in `bytes` to `output`; integers are divided by 2^(bits - 1), which
  /// is what libsndfile does, so that a file and a pipe give the same samples.
  func decode(_ bytes: UnsafeRawBufferPointer, appendingTo output: inout [Float]) {
    let count = bytes.count / bytesPerSample
    output.reserveCapacity(output.count + count)
    switch self {
    case .u8:
      for byte in bytes { output.append((Float(byte) - 128) * 0x1p-7) }
    case .s16le:
      for i in 0..<count {
        let word = bytes.loadUnaligned(fromByteOffset: 2 * i, as: Int16.self)
        output.append(Float(Int16(littleEndian: word)) * 0x1p-15)
      }
    case .s24le:
      for i in 0..<count {
        let low = UInt32(bytes[3 * i]) << 8 | UInt32(bytes[3 * i + 1]) << 16
        let word = Int32(bitPattern: low | UInt32(bytes[3 * i + 2]) << 24)
        output.append(Float(word >> 8) * 0x1p-23)
      }
    case .s32le:
      for i in 0..<count {
        let word = bytes.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self)
        output.append(Float(Int32(littleEndian: word)) * 0x1p-31)
      }
    case .f32le:
      for i in 0..<count {
        let word = bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
        output.append(Float(bitPattern: UInt32(littleEndian: word)))
      }
    case .f64le:
      for i in 0..<count {
        let word = bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
        output.append(Float(Double(bitPattern: UInt64(littleEndian: word))))
      }
    case .mulaw:
      let table = G711.mulaw
      for byte in bytes { output.append(table[Int(byte)]) }
    case .alaw:
      let table = G711.alaw
      for byte in bytes { output.append(table[Int(byte)]) }
    }
  }
}

/// ITU-T G.711 expansion, as tables of all 256 codes on the scale of ±1.
private enum G711 {
  static let mulaw: [Float] = (0..<256).map { expandMulaw(UInt8($0)) }
  static let alaw: [Float] = (0..<256).map { expandAlaw(UInt8($0)) }

  /// 14-bit magnitudes written on 16 bits: sign, 3 bits of segment, 4 of step, all inverted; 132
  /// is the bias (33) that the encoder added, on 16 bits.
  private static func expandMulaw(_ code: UInt8) -> Float {
    let bits = Int(~code)
    let magnitude = (((bits & 0x0F) << 3) + 132) << ((bits & 0x70) >> 4) - 132
    return Float(bits & 0x80 != 0 ? -magnitude : magnitude) / 32768
  }

  /// 13-bit magnitudes written on 16 bits, even bits inverted; 8 is half a step.
  private static func expandAlaw(_ code: UInt8) -> Float {
    let bits = Int(code ^ 0x55)
    let step = (bits & 0x0F) << 4
    let segment = (bits & 0x70) >> 4
    let magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1)
    return Float(bits & 0x80 != 0 ? magnitude : -magnitude) / 32768
  }
}
