import Tensor

/// What one run of an `AttentionDecoder` does besides its plain result. The default is nothing.
public struct DecoderRun {
  /// Weights of the auxiliary heads in the distribution that comes out, one for each in the order
  /// of `DecoderConfig.auxiliaryHeads`; the final head has what they leave of 1. Empty: the final
  /// head alone. The heads' probabilities are mixed, not their logarithms (DeCRED).
  public var auxiliaryWeights: [Float] = []
  /// Called with the index and the output [rows, d] of each layer.
  public var afterLayer: ((Int, MatrixView) -> Void)?
  /// Called with the cross-attention weights of one layer as they are computed.
  public var crossAttention: CrossAttentionProbe?

  public init() {}

  /// Whether `weights` can be the `auxiliaryWeights` of a decoder with so many auxiliary heads: one
  /// for each, at least 0, and at most 1 together.
  public static func accepts(auxiliaryWeights weights: [Float], heads: Int) -> Bool {
    weights.count == heads && HeadMixture.isMixture(weights)
  }
}

/// Asks for the cross-attention weights of a layer, for alignments.
public struct CrossAttentionProbe {
  public let layer: Int
  public let receive: (CrossAttentionWeights) -> Void

  public init(layer: Int, receive: @escaping (CrossAttentionWeights) -> Void) {
    self.layer = layer
    self.receive = receive
  }
}

/// Weights of some rows of a run over the frames of their utterance.
public struct CrossAttentionWeights {
  public let utterance: Int
  public let head: Int
  /// Rows of the run: those of `PrefixTree.rows`, or hypotheses in a step.
  public let rows: Range<Int>
  /// [rows, T], valid during the call only.
  public let weights: MatrixView
}

/// The rows that go through the layers together, and what each of them sees.
struct DecoderRows {
  /// Consecutive rows over the same utterance.
  var groups: [RowGroup]
  /// Per row, the range of `lineage` that names the rows it attends, itself included.
  var visible: [Range<Int>]
  /// Rows in the buffer of keys and values.
  var lineage: UnsafePointer<Int32>
}

/// Consecutive rows whose cross-attention looks at the same utterance.
struct RowGroup: Sendable {
  var utterance: Int
  var rows: Range<Int>

  /// Groups of rows that belong to `utterances`.
  static func groups(_ utterances: [Int]) -> [RowGroup] {
    var groups: [RowGroup] = []
    for (row, utterance) in utterances.enumerated() {
      if let last = groups.last, last.utterance == utterance {
        groups[groups.count - 1].rows = last.rows.lowerBound..<row + 1
      } else {
        groups.append(RowGroup(utterance: utterance, rows: row..<row + 1))
      }
    }
    return groups
  }
}
