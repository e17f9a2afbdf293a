import ArgumentParser

/// Numbers with commas between them: weights of a decoder's auxiliary heads.
struct AuxiliaryWeights: ExpressibleByArgument {
  let values: [Float]

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Float($0)
    }
    values = numbers.compactMap { $0 }
    guard values.count == numbers.count else { return nil }
  }
}
