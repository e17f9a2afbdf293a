/// Whole layers by name.
extension WeightReader {
  /// `weight` [outputs, inputs] (or with trailing extents of 1, as 1×1 convolutions store it) and
  /// `bias` [outputs].
  public func linear(
    inputs: Int, outputs: Int, bias: Bool = true, trailing: [Int] = []
  ) throws(WeightError) -> Linear {
    let weight = try linearWeight([outputs, inputs] + trailing)
    let bias = bias ? try tensor("bias", [outputs]) : nil
    return Linear(weight: weight, bias: bias, inputs: inputs, arena: arena)
  }

  /// The layers `names` over the same input as one, their outputs side by side; each has `weight`
  /// [outputs, inputs] and `bias` [outputs].
  public func sideBySide(
    _ names: [String], inputs: Int, outputs: Int
  ) throws(WeightError) -> Linear {
    let weight = try linearWeights(names, [outputs, inputs])
    let bias = FloatStorage(count: names.count * outputs)
    for (index, name) in names.enumerated() {
      let part = try self[name].tensor("bias", [outputs])
      (bias.pointer + index * outputs).update(from: part.pointer, count: outputs)
    }
    return Linear(weight: weight, bias: bias, inputs: inputs, arena: arena)
  }

  /// `weight` and `bias`, each [width].
  public func layerNorm(_ width: Int) throws(WeightError) -> LayerNorm {
    LayerNorm(gamma: try tensor("weight", [width]), beta: try tensor("bias", [width]))
  }

  /// `weight` [rows, width] to be read row by row.
  public func rows(_ rows: Int, width: Int) throws(WeightError) -> WeightRows {
    isStored("weight", .float16)
      ? WeightRows(halves: try halves("weight", [rows, width]), width: width)
      : WeightRows(try tensor("weight", [rows, width]), width: width)
  }

  /// `name` [rows, taps, width]: a kernel for each of the last rows of a convolution.
  public func edgeWeights(
    _ name: String, rows: Int, taps: Int, width: Int
  ) throws(WeightError) -> EdgeWeights {
    let shape = [rows, taps, width]
    return isStored(name, .float16)
      ? EdgeWeights(.float16(try halves(name, shape)), taps: taps, width: width)
      : EdgeWeights(.float32(try tensor(name, shape)), taps: taps, width: width)
  }

  /// `weight` of a layer, [outputs, inputs…]: as float32; as 16-bit floats where the file has it so
  /// and this processor multiplies by them; or as int8 where the file has it so, with `weight_scale`
  /// [outputs] beside it.
  ///
  /// - Throws: `WeightError` if one is missing, has another shape or type, or is not finite, or if
  ///   an int8 layer has more inputs than its product can add up.
  public func linearWeight(_ shape: [Int]) throws(WeightError) -> LinearWeight {
    guard isStored("weight", .int8) else {
      return Kernels.active.gemm_half != nil && isStored("weight", .float16)
        ? .float16(try halves("weight", shape)) : .float32(try tensor("weight", shape))
    }
    let (full, entry) = try find("weight", shape, [.int8])
    defer { file.release() }
    guard shape.dropFirst().reduce(1, *) <= LinearWeight.mostInt8Inputs else {
      throw .wrongType(
        file: file.path, tensor: full, found: entry.type,
        expected: "F16 or F32: int8 layers have at most \(LinearWeight.mostInt8Inputs) inputs")
    }
    let scales = try tensor("weight_scale", [shape[0]]).values
    return .int8(Array(file.bytes(of: entry).bindMemory(to: Int8.self)), scales: scales)
  }

  private func linearWeights(_ names: [String], _ shape: [Int]) throws(WeightError) -> LinearWeight
  {
    var weight = try self[names[0]].linearWeight(shape)
    for name in names.dropFirst() {
      guard let joined = weight.appending(try self[name].linearWeight(shape)) else {
        let (full, entry) = try self[name].find("weight", shape, [.float16, .float32, .int8])
        throw .wrongType(
          file: file.path, tensor: full, found: entry.type,
          expected: isStored(names[0] + ".weight", .int8)
            ? "I8, as '\(names[0])' beside it" : "F16 or F32, as '\(names[0])' beside it")
      }
      weight = joined
    }
    return weight
  }
}
